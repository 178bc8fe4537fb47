import { sessionOf } from 'express-sid'
import { styles } from '../support/faulty-store.js'
import { ann } from '../support/people.js'
import { express5, site } from '../support/site.js'

// `jest.useFakeTimers()` fakes every timer and queue of the test's world, and most tests of applications call it so.
beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

test.each(styles)('nothing waits for a faked timer, with a store that is %s', async (style) => {
  const { visitor, sessions } = site(
    express5,
    { style, loadUser: (id: string) => ({ ...ann, id }) },
    (app) => {
      app.post('/many', async (req, res) => {
        const add = () => sessionOf(req).update<number>('n', (n = 0) => n + 1)
        await Promise.all(Array.from({ length: 20 }, add))
        res.json(sessionOf(req).get('n'))
      })
    },
  )
  const browser = visitor()
  expect((await browser.login()).status).toBe(200)
  expect(await browser.user()).toEqual(ann)
  // Two requests write to one session at the same time, and one of them has to wait for the other.
  const [one, other] = await Promise.all([browser.post('/many'), browser.post('/many')])
  expect([one.body, other.body]).toContain(40)
  expect(await sessions.list('ann')).toHaveLength(1)
  await browser.logout()
  expect(await browser.user()).toBeNull()
})
