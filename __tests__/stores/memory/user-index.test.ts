import { UserIndex } from '../../../src/stores/memory/user-index.js'

describe('UserIndex', () => {
  test('lists what was added and not removed', () => {
    const index = new UserIndex<{ name: string }>()
    const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]
    for (const item of [a, b, c]) index.add('ann', item)
    index.remove('ann', b)
    expect(index.of('ann')).toEqual([a, c])
    expect(index.of('bob')).toEqual([])
  })

  test('keeps nothing of a user whose last item was removed', () => {
    const index = new UserIndex<object>()
    const items = [{}, {}, {}]
    for (const item of items) index.add('ann', item)
    index.add('bob', items)
    expect(index.size).toBe(2)
    for (const item of items) index.remove('ann', item)
    index.remove('bob', items)
    expect(index.size).toBe(0)
  })
})
