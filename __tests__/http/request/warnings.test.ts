import { ann, firefox } from '../../support/people.js'
import { express5, site } from '../../support/site.js'
import { warningsOf } from '../../support/warnings.js'

// Each warning is given once in a process, so who gets none comes first.

describe('a session whose client is refused', () => {
  test('is a warning in development, once: DevTools, WebViews, service workers, storageState', async () => {
    const warnings = warningsOf('SID_CLIENT_REFUSED')
    const refusedOn = async (made: ReturnType<typeof site>) => {
      const browser = await made.logIn()
      expect(await browser.user()).toEqual(ann)
      expect(await browser.copy(firefox).user()).toBeNull()
    }
    process.env.NODE_ENV = 'production'
    const production = site(express5, { cookie: { secure: false } })
    process.env.NODE_ENV = 'test'
    await refusedOn(production)
    expect(warnings.now()).toEqual([])

    await refusedOn(site(express5))
    await refusedOn(site(express5))
    expect(warnings.now()).toEqual([
      expect.stringMatching(/DevTools.*service worker.*storageState.*engine: 'report'/),
    ])
    warnings.stop()
  })
})

describe('two apps on ports of one host', () => {
  const at = (host: string) => ({ Host: host })

  test('that log each other out by one cookie are told so, once, in development', async () => {
    const warnings = warningsOf('SID_SHARED_COOKIE')
    const [shop, blog] = [site(express5), site(express5)]
    const browser = shop.visitor()

    // A token of before this process: the memory store of then is gone.
    const old = blog.visitor({ cookie: `sid=019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}` })
    await old.login(at('localhost:3001'))
    // A host of its own.
    await browser.login(at('shop.example'))
    await blog.visitor({ cookie: browser.cookie }).login(at('blog.example:3001'))
    // Its own session.
    await browser.login(at('localhost:3000'))
    expect(warnings.now()).toEqual([])

    for (const host of ['localhost:3001', '127.0.0.1:3001']) {
      await blog.visitor({ cookie: browser.cookie }).login(at(host))
    }
    expect(warnings.now()).toEqual([expect.stringMatching(/"sid" on localhost:3001 .*cookie: \{ name: /)])
    warnings.stop()
  })
})
