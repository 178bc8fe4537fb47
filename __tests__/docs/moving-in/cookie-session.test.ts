import cookieSession from 'cookie-session'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { memoryStore } from 'express-sid'
import Keygrip from 'keygrip'
import { DAY, moveTheClock, stopTheClock } from '../../support/core.js'
import { Visitor } from '../../support/visitor.js'
import { appsOf, form, switchDay } from './guide.js'

type Make = (options: object) => Express
const [before, after] = appsOf<Make>('docs/moving-from-cookie-session.md', {
  express,
  cookieSession,
  Keygrip,
  ...sid,
})
const users = new Map([
  ['ann@example.com', { id: 1, name: 'Ann', password: 'correct horse' }],
  ['bob@example.com', { id: 2, name: 'Bob', password: 'battery staple' }],
])
const options = { users, secret: 'the old secret', store: memoryStore() }

beforeEach(() => stopTheClock(switchDay))
afterEach(() => jest.useRealTimers())

async function loggedInBefore(email = 'ann@example.com', password = 'correct horse') {
  const visitor = new Visitor(before(options))
  const res = await visitor.post('/login', form).send(new URLSearchParams({ email, password }).toString())
  expect(res.status).toBe(303)
  expect((await visitor.get('/account')).status).toBe(200)
  return visitor.cookie
}

test('who was logged in before is logged in after the switch, as the same user, and holds only the new cookie', async () => {
  const app = after(options)
  const [ann, bob] = [await loggedInBefore(), await loggedInBefore('bob@example.com', 'battery staple')]
  const visitor = new Visitor(app, { cookie: ann })
  expect((await visitor.get('/account')).body).toEqual({ id: 1, name: 'Ann' })
  expect(visitor.cookie).toMatch(/^sid=/)
  expect((await new Visitor(app, { cookie: bob }).get('/account')).body).toEqual({ id: 2, name: 'Bob' })
})

test('a forged cookie, one with another key, and one without a signature are nobody’s', async () => {
  const app = after(options)
  const cookie = await loggedInBefore()
  const forged = `session=${Buffer.from('{"userId":1}').toString('base64')}; session.sig=${'A'.repeat(27)}`
  const withoutSignature = cookie.split('; ').find((pair) => pair.startsWith('session='))!
  const otherKey = new Visitor(before({ ...options, secret: 'another' }))
  await otherKey.post('/login', form).send('email=ann@example.com&password=correct horse')
  for (const bad of [forged, withoutSignature, otherKey.cookie]) {
    expect((await new Visitor(app, { cookie: bad }).get('/account')).status).toBe(401)
  }
})

test('a copied old cookie is no way back in after a logout, and the new login works', async () => {
  const app = after(options)
  const cookie = await loggedInBefore()
  const visitor = new Visitor(app, { cookie })
  await visitor.get('/account')
  await visitor.post('/logout', form)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
  await visitor.post('/login', form).send('email=ann@example.com&password=correct+horse')
  expect((await visitor.get('/account')).status).toBe(200)
})

test('after the time that the guide gives, old cookies count no more', async () => {
  const app = after(options)
  const cookie = await loggedInBefore()
  moveTheClock(30 * DAY)
  expect((await new Visitor(app, { cookie }).get('/account')).status).toBe(401)
})
