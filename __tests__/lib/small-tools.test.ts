import { v7 } from 'uuid'
import { detached } from '../../src/lib/text/detached.js'
import { dropOldest } from '../../src/lib/drop-oldest.js'
import { listenForErrors } from '../../src/lib/error-listener.js'
import { deepFreeze } from '../../src/lib/json/freeze.js'
import { throughJson } from '../../src/lib/json/json.js'
import { idBytes, idText, idTime, isSessionId } from '../../src/lib/uuid.js'
import { EventEmitter } from 'node:events'

describe('a session id', () => {
  test('is the same after it went through bytes', () => {
    for (let round = 0; round < 100; round += 1) {
      const id = v7()
      expect(isSessionId(id)).toBe(true)
      expect(idBytes(id)).toHaveLength(16)
      expect(idText(idBytes(id)!.toString('hex'))).toBe(id)
    }
  })

  test.each(['', '%', `${v7()} `, v7().toUpperCase(), v7().replaceAll('-', ''), `{${v7()}}`, `${v7()}\n`])(
    'is not %j, which has no bytes',
    (text) => {
      expect(isSessionId(text)).toBe(false)
      expect(idBytes(text)).toBeNull()
    },
  )

  test.each([undefined, null, 7, {}, [v7()], { toString: () => v7() }])(
    'is not %p, which is no text',
    (value) => {
      expect(isSessionId(value)).toBe(false)
    },
  )

  test('begins with the time at which it was made', () => {
    expect(idTime(v7({ msecs: 1_700_000_000_123 }))).toBe(1_700_000_000_123)
  })
})

test('deepFreeze freezes what is inside, and returns the same object', () => {
  const value = { list: [{ a: 1 }], text: 'x', nothing: null }
  expect(deepFreeze(value)).toBe(value)
  for (const part of [value, value.list, value.list[0]]) expect(Object.isFrozen(part)).toBe(true)
})

test('throughJson shares nothing with the original, and is undefined where JSON has no word', () => {
  const inner = [1]
  const copy = throughJson({ inner })
  inner.push(2)
  expect(copy).toEqual({ inner: [1] })
  expect(throughJson(undefined)).toBeUndefined()
})

test('dropOldest removes what was added first, and no more than it must', () => {
  const map = new Map([1, 2, 3, 4].map((key) => [key, key]))
  dropOldest(map, 4)
  expect(map.size).toBe(4)
  dropOldest(map, 2)
  expect([...map.keys()]).toEqual([3, 4])
  dropOldest(map, 0)
  expect(map.size).toBe(0)
})

test('listenForErrors adds a listener where there is none, once', () => {
  const [alone, heard] = [new EventEmitter(), new EventEmitter().on('error', () => undefined)]
  for (const emitter of [alone, alone, heard]) {
    listenForErrors(emitter)
    expect(emitter.listenerCount('error')).toBe(1)
  }
  expect(() => listenForErrors({})).not.toThrow()
})

test.each(['', 'a', '198.51.100.201', 'Müller', '\u0000\u00ff', '名前', '\ud800', '😀'])(
  'detached(%j) is the same text',
  (text) => {
    expect(detached(text)).toBe(text)
  },
)
