import { startApp, type App } from '../support/app-process.js'
import { startProvider, type OpenIdProvider } from '../support/openid-provider.js'
import { Browser } from './support/browser.js'

// express-openid-connect, unchanged, against a real OpenID provider.

let provider: OpenIdProvider
let apps: App

beforeAll(async () => {
  // RFC 8252 §7.3: a client on the loopback may have any port.
  const callbacks = [0, 1, 2, 3, 4, 5].map((at) => `http://127.0.0.1/${at}/callback`)
  provider = await startProvider(callbacks, { application_type: 'native' })
  const file = '__tests__/express-session/support/openid-connect-app.ts'
  apps = await startApp(file, { ISSUER: provider.issuer })
})
afterAll(async () => {
  await apps.stop()
  provider.close()
})

describe.each([
  ['Express 5', 0],
  ['Express 4', 3],
])('on %s', (_, first) => {
  const visit = async (browser: Browser, at: number, path = '') => {
    const { text } = await browser.visit(`${apps.url}/${first + at}${path}`)
    return JSON.parse(text) as object
  }

  test.each([
    ['a store of this package', 0],
    ['a store of express-session', 1],
  ])('beside req.session, with %s', async (__, at) => {
    const browser = new Browser()
    expect(await visit(browser, at)).toEqual({ n: 1 })
    expect(await visit(browser, at, '/login')).toEqual({ sub: 'ann', n: 2 })
    expect(await visit(browser, at)).toEqual({ sub: 'ann', n: 3 })
    expect(await visit(browser, at, '/logout')).toEqual({ n: 4 })
  })

  test('with its own sessions in a store of this package: a logout ends them, for a copy of the cookie as well', async () => {
    const browser = new Browser()
    expect(await visit(browser, 2, '/login')).toEqual({ sub: 'ann', n: 1 })
    expect(await visit(browser, 2)).toEqual({ sub: 'ann', n: 2 })
    const copy = browser.copy()
    expect(await visit(copy, 2)).toEqual({ sub: 'ann', n: 3 })
    expect(await visit(browser, 2, '/logout')).not.toHaveProperty('sub')
    expect(await visit(copy, 2)).not.toHaveProperty('sub')
  })
})
