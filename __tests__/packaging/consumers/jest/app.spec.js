const { login, sessionMiddleware } = require('express-sid')
const { storeContract } = require('express-sid/testing')
const { sqliteStore } = require('express-sid/sqlite')

test('the package loads under Jest, which can not require ES modules', () => {
  expect(typeof sessionMiddleware()).toBe('function')
  expect(typeof login(() => undefined)).toBe('function')
  expect([storeContract, sqliteStore].map((found) => typeof found)).toEqual(['function', 'function'])
})
