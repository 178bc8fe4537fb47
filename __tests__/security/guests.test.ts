import { expresses, site } from '../support/site.js'
import { setCookies } from '../support/visitor.js'

const friend = 'https://friend.example'

describe.each(expresses)('a guest on %s', (_name, module) => {
  /** A stranger's first write, in a request with these headers. */
  const begin = (headers: Record<string, string>, method = 'post') => {
    const stranger = site(module, { trustedOrigins: [friend] }).visitor()
    return stranger.run((session) => session.set('cart', ['item']), headers, method)
  }

  test.each<[string, Record<string, string>]>([
    ['cross-site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['on another port or subdomain', { 'Sec-Fetch-Site': 'same-site' }],
    ['cross-site, by Origin', { Origin: 'https://evil.example' }],
    ['of no origin', { Origin: 'null' }],
  ])(
    'is not started for a form of a page that is %s: its cookie would replace a login',
    async (_, headers) => {
      const res = await begin(headers)
      expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    },
  )

  test.each<[string, string, Record<string, string>]>([
    ['our own page', 'post', { 'Sec-Fetch-Site': 'same-origin' }],
    ['a trusted origin', 'post', { 'Sec-Fetch-Site': 'cross-site', Origin: friend }],
    ['no browser', 'post', {}],
    // The browser sends our Lax cookie along, so who comes without one has none to lose.
    ['a link of another site', 'get', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('is started for %s', async (_, method, headers) => {
    const res = await begin(headers, method)
    expect(res.status).toBe(200)
    expect(setCookies(res)).toHaveLength(1)
  })
})
