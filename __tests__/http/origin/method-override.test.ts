import { createSessions, login, sessionMiddleware, sessionOf } from 'express-sid'
import methodOverride from 'method-override'
import { ann } from '../../support/people.js'
import { answerWithCode, expresses } from '../../support/site.js'
import { setCookies, Visitor } from '../../support/visitor.js'

const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }

describe.each(expresses)('below method-override, on %s', (_name, module) => {
  /** An app that takes the method of a form from its address: by default of a POST alone. */
  function app(methods: readonly string[] | null = ['POST']) {
    const made = module()
    made.use(methodOverride('_method', { methods: methods as string[] }))
    made.use(sessionMiddleware(createSessions()))
    made.post(
      '/login',
      login(() => ann),
    )
    made.all('/cart', (req, res, next) => {
      sessionOf(req)
        .set('cart', [])
        .then(() => res.send(req.method), next)
    })
    return made.use(answerWithCode())
  }

  test.each(['GET', 'OPTIONS'])('a foreign form that becomes a %s starts no guest', async (method) => {
    const res = await new Visitor(app()).post(`/cart?_method=${method}`, foreign)
    expect(res.status).toBe(403)
    expect(setCookies(res)).toEqual([])
  })

  test('a foreign form that becomes a GET does nothing by our cookie', async () => {
    const browser = new Visitor(app())
    await browser.login()
    expect((await browser.post('/cart?_method=GET', foreign)).status).toBe(403)
  })

  test('a foreign link that becomes a DELETE does nothing by our cookie', async () => {
    const browser = new Visitor(app(null))
    await browser.login()
    expect((await browser.get('/cart?_method=DELETE', foreign)).status).toBe(403)
    expect((await browser.get('/cart', foreign)).status).toBe(200)
  })

  test('our own forms become what they like', async () => {
    const own = { 'Sec-Fetch-Site': 'same-origin' }
    const res = await new Visitor(app()).post('/cart?_method=DELETE', own)
    expect([res.status, res.text]).toEqual([200, 'DELETE'])
    expect(setCookies(res)).toHaveLength(1)
  })
})
