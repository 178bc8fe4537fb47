import express, { type Express } from 'express'
import {
  createSessions,
  login,
  memoryStore,
  requireUser,
  sessionOf,
  type SessionOptions,
  type Sessions,
} from 'express-sid'
import { ann } from '../support/people.js'
import { express5, site } from '../support/site.js'
import { readText, runBlock } from './support/page.js'

// docs/limits.md: its code runs, and does what the page says.

const text = readText('docs/limits.md')

/** The site of a manager that a block of the page makes. */
function siteOf(block: string) {
  const made: SessionOptions[] = []
  const make = (options: SessionOptions) => made.push(options)
  runBlock(block, { createSessions: make, store: memoryStore() }, text)
  return site(express5, createSessions(made[0]), (app) => {
    app.post(
      '/as/:id',
      login((req) => ({ id: req.params.id, plan: req.params.id })),
    )
  })
}

test('three devices, and the fourth login ends the first one', async () => {
  const { visitor } = siteOf('maxSessions: 3')
  const browsers = [visitor(), visitor(), visitor(), visitor()]
  for (const browser of browsers) expect((await browser.post('/as/ann')).status).toBe(200)
  const users = await Promise.all(browsers.map((browser) => browser.user()))
  expect(users.map((user) => user !== null)).toEqual([false, true, true, true])
})

test('ten for a team, two for others, and the next one is refused', async () => {
  const { visitor } = siteOf("plan === 'team'")
  const statuses = async (id: string) => {
    const all: number[] = []
    for (let at = 0; at < 11; at += 1) all.push((await visitor().post(`/as/${id}`)).status)
    return all
  }
  expect(await statuses('team')).toEqual([...Array.from({ length: 10 }, () => 200), 403])
  expect(await statuses('alone')).toEqual([200, 200, ...Array.from({ length: 9 }, () => 403)])
})

const fromForm = { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' }

/** A site with a route of the page. */
function siteWith(block: string, globals: object, options: SessionOptions = {}) {
  return site(express5, options, (app: Express, sessions: Sessions) => {
    runBlock(block, { app, sessions, express, requireUser, sessionOf, ...globals }, text)
  })
}

test('a changed password ends the other sessions, and the cookie of this one is a new one', async () => {
  const changed: unknown[] = []
  const { logIn } = siteWith('credentialsChanged()', {
    changePassword: async (id: string, body: object) => void changed.push([id, { ...body }]),
  })
  const [here, there] = [await logIn(), await logIn()]
  const copy = here.copy()
  const { status, headers } = await here.post('/password', fromForm).send('password=new')
  expect([status, headers.location]).toEqual([303, '/account'])
  expect(changed).toEqual([['ann', { password: 'new' }]])
  expect(await Promise.all([here, there, copy].map((one) => one.user()))).toEqual([ann, null, null])
})

test('another version of the user ends the session', async () => {
  const made: SessionOptions[] = []
  const user = { ...ann, passwordVersion: 1 }
  const globals = { createSessions: (options: SessionOptions) => made.push(options), store: memoryStore() }
  runBlock('authVersion:', { ...globals, users: { find: () => ({ ...user }) } }, text)
  const { visitor } = site(express5, createSessions(made[0]), (app) => {
    app.post(
      '/in',
      login(() => ({ ...user })),
    )
  })
  const browser = visitor()
  await browser.post('/in')
  expect(await browser.user()).toEqual(user)
  user.passwordVersion = 2
  expect(await browser.user()).toBeNull()
})

test('a new name reaches all sessions of the user', async () => {
  const { logIn } = siteWith('sessions.updateUser', { users: { rename: async () => undefined } })
  const [here, there] = [await logIn(), await logIn()]
  expect((await here.post('/name', fromForm).send('name=Anna')).status).toBe(303)
  const anna = { id: 'ann', name: 'Anna' }
  expect([await here.user(), await there.user()]).toEqual([anna, anna])
})
