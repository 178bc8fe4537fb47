import { sessionOf } from 'express-sid'
import request from 'supertest'
import { expresses, makeApp, route, setCookies } from '../http/support/apps.js'

describe.each(expresses)('a guest on %s', (_name, module) => {
  const site = (trustedOrigins: string[] = []) =>
    makeApp(module, { trustedOrigins }, (app) => {
      app.all(
        '/cart',
        route(async (req, res) => {
          await sessionOf(req).set('cart', ['item'])
          res.end()
        }),
      )
    }).app

  const friend = 'https://friend.example'

  test.each([
    ['cross-site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['on another port or subdomain', { 'Sec-Fetch-Site': 'same-site' }],
    ['cross-site, by Origin', { Origin: 'https://evil.example' }],
    ['of no origin', { Origin: 'null' }],
  ])(
    'is not started for a form of a page that is %s: its cookie would replace a login',
    async (_, headers) => {
      const res = await request(site()).post('/cart').set(headers)
      expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    },
  )

  test.each([
    ['our own page', 'post', { 'Sec-Fetch-Site': 'same-origin' }],
    ['a trusted origin', 'post', { 'Sec-Fetch-Site': 'cross-site', Origin: friend }],
    ['no browser', 'post', {}],
    // The browser sends our Lax cookie along, so who comes without one has none to lose.
    ['a link of another site', 'get', { 'Sec-Fetch-Site': 'cross-site' }],
  ] as const)('is started for %s', async (_, method, headers) => {
    const { [method]: ask } = request(site([friend]))
    const res = await ask('/cart').set(headers)
    expect(res.status).toBe(200)
    expect(setCookies(res)).toHaveLength(1)
  })
})
