import connectPgSimple from 'connect-pg-simple'
import { parse } from 'cookie'
import { unsign } from 'cookie-signature'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { postgresStore } from 'express-sid/postgres'
import session from 'express-session'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { Pool } from 'pg'
import { DAY, moveTheClock, stopTheClock } from '../../support/core.js'
import { needs, urls } from '../../support/needs.js'
import { Visitor } from '../../support/visitor.js'
import { appsOf, form, switchDay } from './guide.js'

type Make = (options: object) => Express
const schema = `sid_moving_${process.pid}`
const all = [
  { id: 1, name: 'Ann', email: 'ann@example.com', password: 'correct horse' },
  { id: 2, name: 'Bob', email: 'bob@example.com', password: 'battery staple' },
]
const users = {
  byEmail: (email: string) => all.find((one) => one.email === email),
  byId: (id: number) => all.find((one) => one.id === id),
}

needs('postgres')('from express-session with passport-local and connect-pg-simple', () => {
  let pool: Pool
  let before: Express
  let after: Express

  beforeAll(async () => {
    pool = new Pool({ connectionString: urls.postgres, options: `-c search_path=${schema}` })
    await pool.query(`CREATE SCHEMA ${schema}`)
    const names = { connectPgSimple, express, session, LocalStrategy, postgresStore, parse, unsign, ...sid }
    const [one, other] = [new passport.Passport(), new passport.Passport()]
    const options = { users, pool, secret: 'the old secret' }
    before = appsOf<Make>('docs/moving-from-passport-local.md', { ...names, passport: one })[0](options)
    stopTheClock(switchDay)
    after = appsOf<Make>('docs/moving-from-passport-local.md', { ...names, passport: other })[1](options)
  })
  beforeEach(() => stopTheClock(switchDay))
  afterEach(() => jest.useRealTimers())
  afterAll(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })

  async function loggedInBefore(email = 'ann@example.com', password = 'correct horse') {
    const visitor = new Visitor(before)
    const res = await visitor.post('/login', form).send(new URLSearchParams({ email, password }).toString())
    expect([res.status, res.headers.location]).toEqual([302, '/account'])
    return visitor
  }

  test('who was logged in before is logged in after the switch, and a logout closes the copy', async () => {
    const [ann, bob] = [await loggedInBefore(), await loggedInBefore('bob@example.com', 'battery staple')]
    const { cookie } = ann
    const visitor = new Visitor(after, { cookie })
    expect((await visitor.get('/account')).body).toEqual({ id: 1, name: 'Ann' })
    expect(visitor.cookie).toMatch(/^sid=/)
    expect((await new Visitor(after, { cookie: bob.cookie }).get('/account')).body.name).toBe('Bob')
    await visitor.post('/logout', form)
    expect((await new Visitor(after, { cookie }).get('/account')).status).toBe(401)
    const wrong = visitor.post('/login', form).send('email=ann@example.com&password=wrong')
    expect((await wrong).status).toBe(401)
    await visitor.post('/login', form).send('email=ann@example.com&password=correct+horse')
    expect((await visitor.get('/account')).status).toBe(200)
  })

  test('what was logged out in the old app, was forged, or has expired is nobody’s', async () => {
    const left = await loggedInBefore()
    const copy = left.cookie
    await left.post('/logout', form)
    const { cookie } = await loggedInBefore()
    const forged = cookie.replace(/.{4}$/, 'AAAA')
    const bad = [copy, forged, 'connect.sid=s%3Ajunk', 'connect.sid=%']
    for (const one of bad)
      expect((await new Visitor(after, { cookie: one }).get('/account')).status).toBe(401)
    moveTheClock(31 * DAY)
    expect((await new Visitor(after, { cookie }).get('/account')).status).toBe(401)
  })
})
