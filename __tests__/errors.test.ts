import { isSessionError, SessionError } from '../src/errors.js'

test('an error carries its code, its status and its cause', () => {
  const cause = new Error('connection refused')
  const error = new SessionError('STORE_FAILED', 'The session store failed.', { cause })
  expect(error).toMatchObject({ code: 'STORE_FAILED', status: 503, statusCode: 503, cause, expose: false })
})

test('an error of another copy of the package is recognised by its name and code', () => {
  const foreign = Object.assign(new Error('x'), { name: 'SessionError', code: 'STORE_FULL', status: 503 })
  expect(isSessionError(foreign)).toBe(true)
  expect(isSessionError(new Error('x'))).toBe(false)
})

describe('the message of an error', () => {
  const page = 'See express-sid/docs/errors/STORE_FAILED.md.'
  const messageFor = (cause: unknown) => new SessionError('STORE_FAILED', 'It failed.', { cause }).message

  test.each<[unknown, string]>([
    [new Error('The client is closed'), 'The client is closed'],
    [new Error('permission denied for schema public'), 'permission denied for schema public'],
    ['no database', 'no database'],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [
      new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]),
      'refused by ::1; refused by 127.0.0.1',
    ],
    [new Error('two\n  lines\u001b[31m'), 'two lines[31m'],
    [
      new Error('no session 019a3c5e-7b1d-7c2f-9a64-0d3f5b7c9e21'),
      'no session 019a3c5e-7b1d-7c2f-9a64-0d3f5b7c9e21',
    ],
  ])('ends with what the cause says, since Express 4 prints nothing else: %p', (cause, text) => {
    const error = new SessionError('STORE_FAILED', 'It failed.', { cause })
    expect(error.message).toBe(`It failed. ${page} Cause: ${text}`)
    expect(error.stack).toContain(text)
  })

  test.each([undefined, null, {}, 7, new Error(' ')])(
    'ends with the page of its code where the cause says nothing: %p',
    (cause) => {
      expect(messageFor(cause)).toBe(`It failed. ${page}`)
    },
  )

  test.each([
    ['connect to redis://app:s3cr3t@db.example:6379 failed', 's3cr3t'],
    ['connect to postgres://app:s3/c@r3t@db/app failed', 'r3t'],
    ['bad option password=s3cr3t; host=db', 's3cr3t'],
    ['{"dbPassword": "s3cr3t x", "host": "db"}', 's3cr3t'],
    [`no row ('${'A'.repeat(22)}-${'b'.repeat(42)}')`, 'AAAA'],
    [`hash ${'0123456789abcdef'.repeat(4)}`, '0123456789abcdef'],
    [`${'x '.repeat(140)}${'S'.repeat(65)}`, 'SSS'],
  ])('shows no secret of %j', (text, secret) => {
    expect(messageFor(new Error(text))).not.toContain(secret)
  })

  test('stays short', () => {
    expect(messageFor(new Error('long '.repeat(1_000_000))).length).toBeLessThan(380)
  })
})
