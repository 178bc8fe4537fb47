import { createSessions, memoryStore, requireUser } from 'express-sid'
import { ann } from '../support/people.js'
import { express5, site } from '../support/site.js'
import { setCookies } from '../support/visitor.js'

// A session that was started with `loadUser` keeps no user. Without that option nobody can say whose it is.

async function takenAway() {
  const store = memoryStore()
  const browser = await site(express5, createSessions({ store, loadUser: () => ann })).logIn()
  const sessions = createSessions({ store })
  const { visitor } = site(express5, sessions, (app) => {
    app.get('/guarded', requireUser(), (req, res) => res.json(req.user))
  })
  return { store, sessions, browser: visitor({ cookie: browser.cookie }), id: browser.id }
}

let warnings: string[] = []
beforeEach(() => {
  warnings = []
  jest.spyOn(process, 'emitWarning').mockImplementation((text) => void warnings.push(String(text)))
})
afterEach(() => jest.restoreAllMocks())

test('it is taken as ended, which is said once', async () => {
  const { browser } = await takenAway()
  for (let round = 0; round < 3; round += 1) {
    expect((await browser.get()).body).toEqual({ user: null, id: null })
  }
  expect((await browser.get('/guarded')).status).toBe(401)
  const res = await browser.run((session) => session.set('a', 1))
  expect([res.status, res.body.code, setCookies(res)]).toEqual([401, 'SESSION_ENDED', []])
  expect(warnings.filter((text) => text.includes('loadUser'))).toEqual([
    expect.stringContaining('Set loadUser again'),
  ])
})

test.each(['login', 'logout'] as const)("the browser's next %s ends it", async (method) => {
  const { browser, sessions, id } = await takenAway()
  expect((await browser[method]()).status).toBe(200)
  expect(await sessions.find(id)).toBeUndefined()
})

test('it is used again once the option is back', async () => {
  const { browser, store } = await takenAway()
  await browser.get()
  const back = site(express5, createSessions({ store, loadUser: () => ann }))
  expect(await back.visitor({ cookie: browser.cookie }).user()).toEqual(ann)
})
