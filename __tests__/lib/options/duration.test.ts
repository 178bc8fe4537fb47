import { parseDuration } from '../../../src/lib/options/duration.js'

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['0s', 0],
    ['007d', 604_800_000],
    [0, 0],
    [1500, 1500],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('of %p is %p milliseconds', (value, ms) => {
    expect(parseDuration(value, 'idleTimeout')).toBe(ms)
  })

  it.each([
    -1,
    1.5,
    NaN,
    Infinity,
    Number.MAX_SAFE_INTEGER + 1,
    '',
    '30',
    'm',
    '-1s',
    '+1s',
    '1.5h',
    '1e3s',
    ' 30m',
    '30m ',
    '30m\n',
    '30 m',
    '30M',
    '1h30m',
    '1y',
    '30 minutes',
    '99999999999999w',
    '9007199254740993ms',
  ])('of %p is refused, naming the option and the fix', (value) => {
    expect(() => parseDuration(value, 'idleTimeout')).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringMatching(/^idleTimeout is .*'30m'/) as unknown,
      }),
    )
  })

  it.each([[null], [undefined], [true], [{}], [[5]], [5n], [Symbol('5')]])(
    'is refused when it is no number or text, as from JavaScript: %p',
    (value) => {
      expect(() => parseDuration(value as never, 'touchInterval')).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    },
  )

  it('shows no more than the start of a long text in its error', () => {
    expect(() => parseDuration('x'.repeat(5000), 'idleTimeout')).toThrow(/^.{1,300}$/)
  })
})
