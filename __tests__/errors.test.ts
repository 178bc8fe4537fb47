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
