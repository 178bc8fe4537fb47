import * as fc from 'fast-check'
import { asJson, copyJson } from '../../../src/lib/json/json.js'
import type { Json } from '../../../src/record.js'
import { awkwardObject } from '../../../src/testing/records.js'

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
}

/** Every object and array inside a value, itself included. */
function parts(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(parts)]
}

describe('a copy for the application', () => {
  it('is equal, shares no object with the original, and can be changed where that is frozen', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json
        freeze(json)
        const copy = copyJson(json)
        expect(copy).toEqual(json)
        const originals = new Set(parts(json))
        for (const part of parts(copy)) {
          expect(originals.has(part)).toBe(false)
          expect(Object.isFrozen(part) && Object.keys(part).length > 0).toBe(false)
        }
      }),
    )
  })

  it('keeps a key named __proto__ as a mere key, and gives no object another prototype', () => {
    const value = JSON.parse('{"a":{"__proto__":{"isAdmin":true}},"__proto__":{"isAdmin":true}}') as Json
    const copy = copyJson(value) as { a: { isAdmin?: boolean }; isAdmin?: boolean }
    expect(copy.isAdmin).toBeUndefined()
    expect(copy.a.isAdmin).toBeUndefined()
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(copy.a)).toBe(Object.prototype)
    expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it('keeps every awkward key and text', () => {
    const value = awkwardObject()
    expect(JSON.stringify(copyJson(value))).toBe(JSON.stringify(value))
  })

  it.each([[undefined], [null], [true], [0], [-1.5], [''], ['text']])('of %p is the same', (value) => {
    expect(copyJson(value)).toBe(value)
  })
})

describe('a value as JSON keeps it', () => {
  it('is cut off from the original', () => {
    const inner = { items: [1] }
    const kept = asJson({ inner }) as { inner: { items: number[] } }
    inner.items.push(2)
    expect(kept).toEqual({ inner: { items: [1] } })
  })

  it('is what JSON makes of it: dates are text, and toJSON is asked', () => {
    expect(asJson(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
    expect(asJson({ toJSON: () => ({ shown: 1 }), hidden: 2 })).toEqual({ shown: 1 })
    expect(asJson({ a: undefined, b: NaN })).toEqual({ b: null })
  })

  it.each([[undefined], [() => 1], [Symbol('s')]])(
    'is undefined where JSON has no word for it: %p',
    (value) => {
      expect(asJson(value)).toBeUndefined()
    },
  )

  it('throws where JSON does', () => {
    const ring: { self?: unknown } = {}
    ring.self = ring
    expect(() => asJson(ring)).toThrow(TypeError)
    expect(() => asJson(1n)).toThrow(TypeError)
  })
})
