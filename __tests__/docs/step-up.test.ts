import express, { type Request, type Response } from 'express'
import { login, reauthenticate, requireRecentLogin, requireUser, sessionOf } from 'express-sid'
import { HOUR, moveTheClock, stopTheClock } from '../support/core.js'
import { express5, site } from '../support/site.js'
import { readText, runBlock } from './support/page.js'

// docs/step-up.md: its code runs, and does what the page says.

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const text = readText('docs/step-up.md')
const ann = { id: 'ann', email: 'ann@example.com' }
const asPage = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin' }
const asScript = { Accept: 'application/json' }

const says = (what: string) => (_req: Request, res: Response) => void res.send(what)

const open = async () => {
  const made = site(express5, {}, (app) => {
    app.post(
      '/login',
      login(() => ann),
    )
    runBlock(
      '// The guard',
      {
        app,
        express,
        reauthenticate,
        requireRecentLogin,
        requireUser,
        checkPassword: (email: string, password: string) =>
          email === ann.email && password === 'secret' && ann,
        showDeleteForm: says('the form'),
        showConfirmForm: says('your password?'),
        deleteAccount: says('deleted'),
      },
      text,
    )
    const verifyPasskey = async (req: Request) => (req.get('X-Passkey') === 'good' ? ann : undefined)
    runBlock('verifyPasskey', { app, sessionOf, verifyPasskey }, text)
    runBlock("methods: 'passkey'", { app, requireRecentLogin, payOut: says('paid') }, text)
  })
  const browser = await made.logIn()
  moveTheClock(HOUR / 2)
  return { ...made, browser }
}

test('the example asks for the password, and leads back', async () => {
  const { browser } = await open()
  const { location } = (await browser.get('/account/delete', asPage)).headers as { location: string }
  expect((await browser.get(location, asPage)).text).toBe('your password?')
  const confirm = (password: string) => browser.post(location, asPage).type('form').send({ password })
  expect((await confirm('guess')).headers.location).toBe('/confirm?failed&returnTo=%2Faccount%2Fdelete')
  expect((await confirm('secret')).headers.location).toBe('/account/delete')
  expect((await browser.post('/account/delete', asPage)).text).toBe('deleted')
})

test('the example of a passkey opens the guard that asks for one, and a password does not', async () => {
  const { browser } = await open()
  const password = { password: 'secret' }
  expect((await browser.post('/confirm', asScript).type('form').send(password)).status).toBe(200)
  expect((await browser.post('/payout', asScript)).body.error.code).toBe('REAUTHENTICATION_REQUIRED')
  expect((await browser.post('/confirm/passkey')).status).toBe(401)
  expect((await browser.post('/confirm/passkey', { 'X-Passkey': 'good' })).status).toBe(204)
  expect((await browser.post('/payout', asScript)).text).toBe('paid')
})
