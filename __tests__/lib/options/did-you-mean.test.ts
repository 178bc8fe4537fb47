import * as fc from 'fast-check'
import { didYouMean, unknownNames } from '../../../src/lib/options/did-you-mean.js'

const known = ['name', 'secure', 'sameSite', 'domain', 'path', 'idleTimeout', 'absoluteTimeout']

test.each([
  ['nmae', 'name'],
  ['samesite', 'sameSite'],
  ['sameSit', 'sameSite'],
  ['domian', 'domain'],
  ['Secure', 'secure'],
  ['idletimout', 'idleTimeout'],
  ['absolutTimeout', 'absoluteTimeout'],
])('%s was meant to be %s', (name, meant) => {
  expect(didYouMean(name, known)).toBe(meant)
})

test.each(['', 'x', 'color', 'timeout', '__proto__'])('%j could be anything', (name) => {
  expect(didYouMean(name, known)).toBeUndefined()
})

test('two letters that are both wrong are no hint', () => {
  expect(didYouMean('to', ['id'])).toBeUndefined()
  expect(didYouMean('is', ['id'])).toBe('id')
})

test('one added, missing or wrong letter of a longer name is understood', () => {
  const mistake = fc
    .constantFrom(...known)
    .chain((name) =>
      fc.tuple(fc.constant(name), fc.nat(name.length - 1), fc.constantFrom('add', 'drop', 'replace')),
    )
  fc.assert(
    fc.property(mistake, ([name, at, kind]) => {
      const rest = kind === 'add' ? name.slice(at) : name.slice(at + 1)
      const wrong = name.slice(0, at) + (kind === 'drop' ? '' : '_') + rest
      expect(didYouMean(wrong, known)).toBe(name)
    }),
  )
})

test('known names pass', () => {
  expect(() => unknownNames({ name: 1, path: undefined }, known, 'cookie')).not.toThrow()
  expect(() => unknownNames({}, known, 'cookie')).not.toThrow()
})

test('an unknown name is refused with the one that was meant, or with all that there are', () => {
  expect(() => unknownNames({ name: 1, domian: 2 }, known, 'cookie')).toThrow(
    expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(
        /^cookie has no option "domian"\. Did you mean domain\? See /,
      ) as unknown,
    }),
  )
  expect(() => unknownNames({ color: 1 }, known, 'cookie')).toThrow(
    `cookie has no option "color". Its options are ${known.join(', ')}.`,
  )
  expect(() => unknownNames({ toString: 1 }, known, 'cookie')).toThrow('"toString"')
})
