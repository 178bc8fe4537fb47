import { parse } from 'cookie'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { memoryStore } from 'express-sid'
import { DAY, moveTheClock, stopTheClock } from '../../support/core.js'
import { nativeImport } from '../../support/native-import.cjs'
import { Visitor } from '../../support/visitor.js'
import { appsOf, form, switchDay } from './guide.js'

type Make = (options: object) => Express
let before: Make
let after: Make
const options = {
  users: new Map([['ann@example.com', { id: 1, name: 'Ann', password: 'correct horse' }]]),
  password: 'a password of at least 32 characters',
  store: memoryStore(),
}

beforeAll(async () => {
  const iron = (await nativeImport('iron-session')) as object
  ;[before, after] = appsOf<Make>('docs/moving-from-iron-session.md', { express, parse, ...iron, ...sid })
})
beforeEach(() => stopTheClock(switchDay))
afterEach(() => jest.useRealTimers())

async function loggedInBefore(given: object = options) {
  // Its cookie is for https only.
  const visitor = new Visitor(before(given))
  const res = await visitor.post('/login', form).send('email=ann@example.com&password=correct+horse')
  expect(res.status).toBe(303)
  expect((await visitor.get('/account')).status).toBe(200)
  return visitor.cookie
}

test('who was logged in before is logged in after the switch, and a logout closes the copy', async () => {
  const app = after(options)
  const cookie = await loggedInBefore()
  const visitor = new Visitor(app, { cookie })
  expect((await visitor.get('/account')).body).toEqual({ id: 1, name: 'Ann' })
  expect(visitor.cookie).toMatch(/^sid=/)
  await visitor.post('/logout', form)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
  // In the old app it was as good as before.
  expect((await new Visitor(before(options), { cookie }).get('/account')).status).toBe(200)
})

test('what is forged, sealed with another password, or has expired is nobody’s', async () => {
  const app = after(options)
  const other = await loggedInBefore({ ...options, password: 'another password of at least 32 characters' })
  const cookie = await loggedInBefore()
  for (const bad of ['app=junk', other]) {
    expect((await new Visitor(app, { cookie: bad }).get('/account')).status).toBe(401)
  }
  moveTheClock(15 * DAY)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
})
