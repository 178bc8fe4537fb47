import { parse } from 'cookie'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import Database from 'libsql'
import { DAY, moveTheClock, stopTheClock } from '../../support/core.js'
import { nativeImport } from '../../support/native-import.cjs'
import { Visitor } from '../../support/visitor.js'
import { appsOf, form, switchDay } from './guide.js'

type Make = (options: object) => Express
let before: Make
let after: Make

beforeAll(async () => {
  const [lucia, adapter] = (await Promise.all(
    ['lucia', '@lucia-auth/adapter-sqlite'].map(nativeImport),
  )) as object[]
  const names = { express, parse, sqliteStore, ...lucia, ...adapter, ...sid }
  ;[before, after] = appsOf<Make>('docs/moving-from-lucia.md', names)
})
beforeEach(() => stopTheClock(switchDay))
afterEach(() => jest.useRealTimers())

function openDatabase() {
  const database = new Database(':memory:')
  database.exec(`
    CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT, email TEXT, password TEXT);
    CREATE TABLE session (id TEXT PRIMARY KEY, user_id TEXT, expires_at INTEGER);
    INSERT INTO user VALUES ('u1', 'Ann', 'ann@example.com', 'correct horse')`)
  return database
}

async function loggedInBefore(app: Express) {
  const visitor = new Visitor(app)
  const res = await visitor.post('/login', form).send('email=ann@example.com&password=correct+horse')
  expect(res.status).toBe(303)
  expect((await visitor.get('/account')).body).toEqual({ id: 'u1', name: 'Ann' })
  return visitor
}

test('who was logged in before is logged in after the switch, and a logout closes the copy', async () => {
  const database = openDatabase()
  const { cookie } = await loggedInBefore(before({ database }))
  const app = after({ database })
  const visitor = new Visitor(app, { cookie })
  expect((await visitor.get('/account')).body).toEqual({ id: 'u1', name: 'Ann' })
  expect(visitor.cookie).toMatch(/^sid=/)
  await visitor.post('/logout', form)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
  await visitor.post('/login', form).send('email=ann@example.com&password=correct+horse')
  expect((await visitor.get('/account')).status).toBe(200)
})

test('what was logged out in the old app, was made up, or has expired is nobody’s', async () => {
  const database = openDatabase()
  const old = before({ database })
  const left = await loggedInBefore(old)
  const copy = left.cookie
  await left.post('/logout', form)
  const { cookie } = await loggedInBefore(old)
  const app = after({ database })
  for (const bad of [copy, 'auth_session=made-up']) {
    expect((await new Visitor(app, { cookie: bad }).get('/account')).status).toBe(401)
  }
  moveTheClock(31 * DAY)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
})
