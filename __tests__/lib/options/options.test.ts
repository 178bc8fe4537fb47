import { runInNewContext } from 'node:vm'
import { SessionError } from '../../../src/errors.js'
import {
  address,
  boolean,
  callback,
  duration,
  group,
  integer,
  names,
  oneOf,
  orFalse,
  someOf,
  text,
  that,
} from '../../../src/lib/options/option-kinds.js'
import {
  ofFunction,
  ofGroup,
  ofStore,
  readOptions,
  type Kind,
  type Owner,
} from '../../../src/lib/options/options.js'

/** What the checker says of one option `name`, with this kind and this value. */
function messageOf(kind: Kind<unknown>, value: unknown, owner: Owner = ofFunction('f()')): string {
  try {
    readOptions({ name: value }, owner, { name: { kind, required: true, doc: '' } })
  } catch (error) {
    expect(error).toBeInstanceOf(SessionError)
    expect(error).toMatchObject({ code: 'OPTION_INVALID', status: 500 })
    // Every message of this kind names the page of its code: __tests__/docs/errors.test.ts.
    return (error as Error).message.replace(/ See express-sid\/docs\/errors\/OPTION_INVALID\.md\.$/, '')
  }
  return 'taken'
}

const anything = [
  undefined,
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  NaN,
  '',
  'a',
  [],
  ['a'],
  {},
  () => 1,
  Symbol('s'),
]

/** Which of these values a kind takes. */
const taken = (kind: Kind<unknown>, values: readonly unknown[]) =>
  values.filter((value) => messageOf(kind, value) === 'taken')

describe('options', () => {
  const table = {
    size: { kind: integer(1), default: 10, doc: '' },
    pause: { kind: duration(), default: '1s', doc: '' },
    label: { kind: text(), doc: '' },
  } as const

  test('are read as they are used, with the defaults filled in', () => {
    expect(readOptions({}, ofStore('s'), table)).toEqual({ size: 10, pause: 1_000, label: undefined })
    const given = { size: 3, pause: '2m', label: 'a' }
    expect(readOptions(given, ofStore('s'), table)).toEqual({ size: 3, pause: 120_000, label: 'a' })
  })

  test('that are undefined count as absent, and nothing else does', () => {
    const given = { size: undefined, pause: undefined, label: undefined }
    expect(readOptions(given, ofStore('s'), table)).toEqual(readOptions({}, ofStore('s'), table))
    for (const name of ['size', 'pause', 'label']) {
      expect(() => readOptions({ [name]: null }, ofStore('s'), table)).toThrow(name)
    }
  })

  test.each([[null], ['size'], [7], [true], [[]], [['size']], [() => 1]])(
    'must be an object, not %p',
    (given) => {
      expect(() => readOptions(given, ofFunction('f()'), table)).toThrow(
        /^The options of f\(\) must be an object, not .+\. They are size, pause, label\. See /,
      )
      expect(() => readOptions(given, ofStore('s'), table)).toThrow('s: its options must be an object')
      expect(() => readOptions(given, ofGroup('g', '{ size: 2 }'), table)).toThrow(
        'g must be an object such as { size: 2 }, not',
      )
    },
  )

  test.each([
    ['a promise', Promise.resolve({ size: 3 }), 'a promise (await it first)'],
    ['a date', new Date(0), 'an instance of Date'],
    ['what only inherits, as a store does', Object.create({ insert: () => 1 }), 'an instance of Object'],
  ])('are not %s, which would pass for options that are all left out', (_what, given, words) => {
    expect(() => readOptions(given, ofFunction('f()'), table)).toThrow(`must be an object, not ${words}.`)
  })

  test('may be of any class that has them', () => {
    class Settings {
      get size() {
        return 3
      }
    }
    const size = { size: 3, pause: 1_000, label: undefined }
    expect(readOptions(new Settings(), ofFunction('f()'), table)).toEqual(size)
    expect(readOptions(Object.assign(Object.create(null), { size: 3 }), ofFunction('f()'), table)).toEqual(
      size,
    )
    expect(readOptions(runInNewContext('({ size: 3 })'), ofFunction('f()'), table)).toEqual(size)
    expect(readOptions(runInNewContext('({})'), ofFunction('f()'), table)).toMatchObject({ size: 10 })
  })

  test('of an unknown name are refused with the one that was meant', () => {
    expect(() => readOptions({ sise: 1 }, ofFunction('f()'), table)).toThrow(
      'f() has no option "sise". Did you mean size?',
    )
    expect(() => readOptions({ zebra: undefined }, ofFunction('f()'), table)).toThrow(
      'f() has no option "zebra". Its options are size, pause, label.',
    )
  })

  test('of other packages are refused with what to do here', () => {
    const owner = { ...ofGroup('cookie', '{}'), elsewhere: { maxAge: 'set absoluteTimeout' } }
    expect(() => readOptions({ maxAge: undefined }, owner, table)).toThrow(
      'cookie.maxAge is no option here: set absoluteTimeout.',
    )
  })

  test('that are required must be there', () => {
    const required = { size: { kind: integer(1), required: true, doc: '' } } as const
    expect(() => readOptions({}, ofGroup('wait', '{ size: 1 }'), required)).toThrow(
      'wait.size is undefined: it must be an integer from 1 on.',
    )
  })

  test('that are objects are read by a table of their own', () => {
    const outer = {
      inner: { kind: group(ofGroup('inner', '{ size: 2 }'), table), default: {}, doc: '' },
    } as const
    expect(readOptions({}, ofFunction('f()'), outer).inner.size).toBe(10)
    expect(readOptions({ inner: { size: 4 } }, ofFunction('f()'), outer).inner.size).toBe(4)
    expect(() => readOptions({ inner: { size: 0 } }, ofFunction('f()'), outer)).toThrow('inner.size is 0')
    expect(() => readOptions({ inner: null }, ofFunction('f()'), outer)).toThrow('inner must be an object')
  })

  test('are called by the words of their owner', () => {
    expect(messageOf(boolean(), 7)).toBe('The option name of f() must be a boolean, not 7.')
    expect(messageOf(boolean(), 7, ofStore('myStore'))).toBe(
      'myStore: the option "name" must be a boolean, not 7.',
    )
    expect(messageOf(boolean(), 7, ofGroup('cookie', '{}'))).toBe('cookie.name is 7: it must be a boolean.')
  })

  test.each([
    ['x'.repeat(5_000), `"${'x'.repeat(40)}"`],
    ['a\nb', String.raw`"a\nb"`],
    [{ password: 'secret' }, 'an object'],
    [['secret'], 'an array'],
    [() => 'secret', 'a function'],
    [Symbol('secret'), 'a symbol'],
    [null, 'null'],
    [5n, '5'],
  ])('are shown short, on one line, and never from the inside: %#', (value, shown) => {
    expect(messageOf(boolean(), value)).toBe(`The option name of f() must be a boolean, not ${shown}.`)
  })
})

describe('the kind', () => {
  test.each<[string, Kind<unknown>, unknown[]]>([
    ['boolean', boolean(), [true, false]],
    ['text', text(), ['', 'a']],
    ['text with a test', text((value) => value !== '', 'at least one letter'), ['a']],
    ['integer', integer(0), [0, 1]],
    ['integer with two limits', integer(-1, 0), [0, -1]],
    ['one of', oneOf('a', 'b'), ['a']],
    ['some of', someOf('a', 'b'), [[], ['a']]],
    ['names', names("['cart']"), [[], ['a']]],
    ['address', address('/a'), ['a']],
    ['duration', duration(), [0, 1]],
    ['duration or false', orFalse(duration()), [0, 1, false]],
    ['duration with limits', duration({ min: 1, max: 5, words: 'from 1 to 5' }), [1]],
    ['anything that passes a test', that((value) => value === 'a', 'a'), ['a']],
  ])('%s takes what it is for, and nothing else', (_, kind, values) => {
    expect(taken(kind, anything)).toEqual(expect.arrayContaining(values))
    expect(taken(kind, anything)).toHaveLength(values.length)
  })

  test('callback takes functions, and its message shows one', () => {
    const kind = callback('(id) => users.find(id)')
    expect(messageOf(kind, () => 1)).toBe('taken')
    for (const [value, given] of [
      ['id', 'string'],
      [null, 'null'],
      [{}, 'object'],
    ] as const) {
      expect(messageOf(kind, value)).toBe(
        `The option name of f() must be a function, such as (id) => users.find(id), not ${given}.`,
      )
    }
  })

  test.each<[Kind<unknown>, unknown, string]>([
    [
      text((value) => value !== '', 'a name of at least one letter'),
      '',
      'a name of at least one letter, not ""',
    ],
    [text(() => true), 7, 'a string, not 7'],
    [integer(1, 16_000_000), 0, 'an integer from 1 to 16,000,000, not 0'],
    [oneOf('fail', 'anonymous'), 'ignore', `one of 'fail', 'anonymous', not "ignore"`],
    [someOf('a', 'b'), ['a', 'c'], `an array with some of 'a', 'b', not one with "c"`],
    [names("['cart']"), ['a', undefined], "an array of names, such as ['cart'], not one with undefined"],
    [names("['cart']"), 'cart', `an array of names, such as ['cart'], not "cart"`],
    [address('/login'), ['/'], "a path or an address, such as '/login', not an array"],
    [duration({ min: 1, words: 'longer than 0' }), '0s', `longer than 0, for example '1m', not "0s"`],
  ])('%# says what it must be and what was given', (kind, value, words) => {
    expect(messageOf(kind, value)).toBe(`The option name of f() must be ${words}.`)
  })

  test('duration counts both limits in', () => {
    const kind = duration({ min: 1_000, max: 2_000, words: 'from 1 s to 2 s' })
    expect(taken(kind, [999, 1_000, '2s', 2_001])).toEqual([1_000, '2s'])
  })
})
