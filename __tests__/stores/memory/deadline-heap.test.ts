import * as fc from 'fast-check'
import { DeadlineHeap } from '../../../src/stores/memory/deadline-heap.js'

interface Item {
  place: number
  time: number
}

const operation = fc.record({
  name: fc.constantFrom('add', 'add', 'add', 'move', 'remove'),
  pick: fc.nat(1_000),
  time: fc.nat(1_000),
})
// Long ones: a heap of a few items is in order by luck.
const operations = fc.array(operation, { minLength: 100, maxLength: 300 })

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Does the same to a heap and to a list. */
function apply(heap: DeadlineHeap<Item>, items: Item[], { name, pick, time }: Operation): void {
  const item = items[pick % items.length]
  if (name === 'add' || item === undefined) {
    const added = { place: 0, time }
    items.push(added)
    heap.add(added, time)
  } else if (name === 'move') {
    item.time = time
    heap.move(item, time)
  } else {
    items.splice(items.indexOf(item), 1)
    heap.remove(item)
  }
}

function drain(heap: DeadlineHeap<Item>): number[] {
  const times: number[] = []
  for (let first = heap.first; first !== undefined; first = heap.first) {
    times.push(first.time)
    heap.remove(first)
  }
  return times
}

describe('DeadlineHeap', () => {
  test('has no first item when it is empty', () => {
    expect(new DeadlineHeap().first).toBeUndefined()
  })

  test('gives its items in the order of their times, whatever was added, moved and removed', () => {
    const property = fc.property(operations, (all) => {
      const heap = new DeadlineHeap<Item>()
      const items: Item[] = []
      for (const each of all) apply(heap, items, each)
      expect(items.map((item) => heap.timeOf(item))).toEqual(items.map(({ time }) => time))
      expect(drain(heap)).toEqual(items.map(({ time }) => time).sort((a, b) => a - b))
    })
    fc.assert(property, { numRuns: 200 })
  })
})
