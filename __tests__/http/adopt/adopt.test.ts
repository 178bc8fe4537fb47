import { createHmac } from 'node:crypto'
import type { Request } from 'express'
import { createSessions, memoryStore, SessionError, sessionMiddleware } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import expressSession from 'express-session'
import { DAY, eventsOf, MINUTE, moveTheClock, SECOND, stopTheClock } from '../../support/core.js'
import { FaultyStore } from '../../support/faulty-store.js'
import { ann, bob, chrome, firefox } from '../../support/people.js'
import { expresses, express5, site, type SiteOptions } from '../../support/site.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

// Who is logged in by a cookie of another system need not log in again.

afterEach(() => jest.useRealTimers())

const users: Record<string, typeof ann> = { ann, bob }
const sign = (name: string) => createHmac('sha256', 'old secret').update(name).digest('base64url')
/** A cookie as the old system has made it: whose it is, and a signature. */
const oldCookie = (name: string, more = '') => `old=${name}${more}.${sign(name + more)}; other=1`
const userOfOldCookie = (req: Request) => {
  const [, name, more, signature] =
    /(?:^|; )old="?(\w+?)(-\w+)?\.([\w-]+)/.exec(decodeURIComponent(req.headers.cookie ?? '')) ?? []
  return name !== undefined && signature === sign(name + (more ?? '')) ? users[name] : undefined
}
const adopt = {
  cookies: [{ name: 'old' }, { name: 'old.sig', path: '/shop', domain: 'example.com' }],
  until: new Date('2026-03-01T00:00:00Z'),
  user: userOfOldCookie,
}

function shop(options: SiteOptions = {}, express: (typeof expresses)[number][1] = express5) {
  const asked: string[] = []
  const user = (req: Request) => {
    asked.push(req.url)
    return adopt.user(req)
  }
  const made = site(express, { adopt: { ...adopt, user }, ...options }, (app) => {
    app.get('/image', (req, res) => void res.json(req.user ?? null))
  })
  const events = eventsOf(made.sessions)
  const old = (name: string, more?: string, client = {}) =>
    made.visitor({ cookie: oldCookie(name, more), ...client })
  return { ...made, asked, events, old, namesOf: () => events.map(({ name }) => name) }
}

beforeEach(() => stopTheClock())

describe.each(expresses)('a visitor with an old cookie, on %s', (_name, express) => {
  test('is logged in by the first page, once, and the old cookie is cleared', async () => {
    const { old, sessions, events, asked, namesOf } = shop({}, express)
    const visitor = old('ann')
    const res = await visitor.get('/')
    expect(res.body).toEqual({ user: ann, id: visitor.id })
    expect(setCookies(res)).toEqual([
      'old=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly',
      expect.stringMatching(/^sid=.*HttpOnly; SameSite=Lax$/),
    ])
    expect(res.headers['cache-control']).toBe('no-store')
    expect(visitor.cookie).toBe(`other=1; sid=${visitor.token}`)
    expect(await visitor.user()).toEqual(ann)
    expect(await sessions.list('ann')).toMatchObject([
      { id: visitor.id, authenticatedAt: 0, userAgent: chrome.userAgent },
    ])
    expect(namesOf()).toEqual(['adopt'])
    expect(events[0]!.event).toMatchObject({
      type: 'adopt',
      sessionId: visitor.id,
      userId: 'ann',
      client: { userAgent: chrome.userAgent },
    })
    expect(asked).toEqual(['/'])
  })

  test('is a stranger where the old cookie is not good, and keeps it', async () => {
    const { visitor, asked } = shop({}, express)
    const one = visitor({ cookie: 'old=ann.forged' })
    const res = await one.get('/')
    expect([res.body.user, setCookies(res), asked]).toEqual([null, [], ['/']])
  })
})

test('all of the old cookies that came are cleared, each where it was set', async () => {
  const { visitor } = shop()
  const one = visitor({ cookie: `${oldCookie('ann')}; old.sig=1` })
  const cleared = setCookies(await one.get('/')).filter((line) => line.startsWith('old'))
  expect(cleared).toEqual([
    expect.stringMatching(/^old=; Max-Age=0; Path=\/;/),
    expect.stringMatching(/^old\.sig=; Max-Age=0; Domain=example\.com; Path=\/shop;/),
  ])
})

test('strangers without an old cookie, and visitors with a session, are asked for nothing', async () => {
  const { logIn, visitor, asked } = shop()
  await visitor({ cookie: 'older=1; old2=2' }).get('/')
  const one = await logIn({ cookie: oldCookie('bob') })
  expect(asked).toEqual(['/login'])
  await one.get('/')
  expect(asked).toHaveLength(1)
})

describe('no session is started', () => {
  const headers = {
    'for a prefetch': { 'Sec-Purpose': 'prefetch' },
    'for a page that is rendered ahead': {
      'Sec-Purpose': 'prefetch;prerender',
      'Sec-Fetch-Dest': 'document',
    },
    'for an image': { 'Sec-Fetch-Dest': 'image' },
    'for a script': { 'Sec-Fetch-Dest': 'script' },
    'for a style': { 'Sec-Fetch-Dest': 'style' },
  }
  test.each(Object.entries(headers))('%s', async (_name, sent) => {
    const { old, sessions, asked } = shop()
    const res = await old('ann').get('/image', sent)
    expect([res.body, setCookies(res), asked]).toEqual([null, [], []])
    expect(await sessions.list('ann')).toEqual([])
  })

  test('for HEAD and OPTIONS, and a form of another site', async () => {
    const { old, asked } = shop()
    const visitor = old('ann')
    await visitor.ask('HEAD', '/')
    await visitor.ask('OPTIONS', '/')
    const res = await visitor.post('/', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' })
    expect([res.status, res.body.user, asked]).toEqual([200, null, []])
  })

  test('where two cookies have the old name', async () => {
    const { visitor, asked } = shop()
    const two = { Cookie: `${oldCookie('ann')}; old=bob.${sign('bob')}` }
    await visitor().get('/', two)
    expect(asked).toEqual([])
  })

  test('once the time has passed, also in a process that was started before', async () => {
    const { old, asked } = shop()
    moveTheClock(60 * DAY)
    expect(await old('ann').user()).toBeNull()
    const late = shop()
    expect(await late.old('ann').user()).toBeNull()
    expect([asked, late.asked]).toEqual([[], []])
  })
})

test('a fetch of a page, and a form of our own, start one', async () => {
  const { old } = shop()
  expect(
    (await old('ann').get('/', { 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin' })).body.user,
  ).toEqual(ann)
  expect((await old('bob').post('/', { 'Sec-Fetch-Site': 'same-origin' })).body.user).toEqual(bob)
})

test('a guest becomes the user, and their guest’s session has ended', async () => {
  const { old, visitor, sessions } = shop()
  const guest = visitor()
  await guest.run((session) => session.set('theme', 'dark'))
  const id = guest.id
  const both = old('ann').copy({ cookie: `${guest.cookie}; ${oldCookie('ann')}` })
  expect(await both.user()).toEqual(ann)
  expect(both.id).not.toBe(id)
  expect(await sessions.find(id)).toBeUndefined()
})

describe('parallel requests, and a lost response', () => {
  test('get one session between them', async () => {
    jest.useRealTimers()
    for (const style of ['sync', 'async'] as const) {
      const { old, sessions, namesOf } = shop({
        style,
        adopt: { ...adopt, until: new Date(Date.now() + DAY) },
      })
      const tabs = Array.from({ length: 8 }, () => old('ann'))
      const seen = await Promise.all(tabs.map((tab) => tab.user()))
      expect(seen).toEqual(tabs.map(() => ann))
      expect(new Set(tabs.map(({ token }) => token)).size).toBe(1)
      expect(await sessions.list('ann')).toHaveLength(1)
      expect(namesOf()).toEqual(['adopt'])
    }
  })

  test('get it for five minutes, and nobody after that', async () => {
    const { old, sessions } = shop()
    const first = old('ann')
    await first.get('/')
    moveTheClock(5 * MINUTE - SECOND)
    const again = old('ann')
    expect(await again.user()).toEqual(ann)
    expect(again.token).toBe(first.token)
    moveTheClock(SECOND)
    const late = old('ann')
    const res = await late.get('/')
    expect([res.body.user, setCookies(res)]).toEqual([null, [expect.stringMatching(/^old=;/)]])
    expect(await first.user()).toEqual(ann)
    expect(await sessions.list('ann')).toHaveLength(1)
  })

  test('get it on another node as well', async () => {
    const store = memoryStore()
    const [one, other] = [shop({ store }), shop({ store })]
    const visitor = one.old('ann')
    await visitor.get('/')
    const again = other.old('ann')
    expect(await again.user()).toEqual(ann)
    expect(again.token).toBe(visitor.token)
    expect(other.namesOf()).toEqual([])
  })

  test('end when the cookie has changed: then the browser has received it', async () => {
    const { old } = shop({ rotateEvery: '2m', rotationGrace: '1m' })
    const visitor = old('ann')
    await visitor.get('/')
    moveTheClock(2 * MINUTE)
    await visitor.get('/')
    moveTheClock(MINUTE)
    await visitor.get('/')
    // Still within five minutes.
    moveTheClock(MINUTE)
    expect(await old('ann').user()).toBeNull()
    expect(await visitor.user()).toEqual(ann)
  })

  test('are compared by their client', async () => {
    const { old } = shop()
    await old('ann').get('/')
    expect(await old('ann', '', firefox).user()).toBeNull()
  })
})

describe('a copied old cookie is no way back in', () => {
  const ends = {
    'a logout': async ({ visitor }: { visitor: Visitor }) => void (await visitor.logout()),
    revoke: async ({
      sessions,
      visitor,
    }: {
      sessions: ReturnType<typeof shop>['sessions']
      visitor: Visitor
    }) => void (await sessions.revoke(visitor.id)),
    revokeAll: async ({ sessions }: { sessions: ReturnType<typeof shop>['sessions'] }) =>
      void (await sessions.revokeAll('ann')),
  }
  test.each(Object.entries(ends))('after %s', async (_name, end) => {
    const { old, sessions } = shop()
    const visitor = old('ann')
    await visitor.get('/')
    await end({ visitor, sessions })
    for (const later of [0, 4 * MINUTE, 30 * DAY]) {
      moveTheClock(later)
      expect(await old('ann').user()).toBeNull()
    }
    expect(await sessions.list('ann')).toEqual([])
  })

  const spellings = {
    'percent signs': (value: string) => value.replace('a', '%61'),
    quotes: (value: string) => `"${value}"`,
    'padding of base64': (value: string) => `${value}=`,
    'other bits at the end of its base64': (value: string) => {
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const at = letters.indexOf(value.at(-1)!)
      return value.slice(0, -1) + letters[at ^ 1]!
    },
    'a blank in its base64': (value: string) => `${value.slice(0, -5)} ${value.slice(-5)}`,
  }
  test.each(Object.entries(spellings))('written with %s', async (_name, spelled) => {
    const lenient = (req: Request) => (req.headers.cookie?.includes('old=') ? ann : undefined)
    const { old, visitor } = shop({ adopt: { ...adopt, user: lenient } })
    const first = old('ann')
    await first.get('/')
    await first.logout()
    expect(await visitor({ cookie: `old=${spelled(`ann.${sign('ann')}`)}` }).user()).toBeNull()
  })

  const seal = 'Fe26.2**8be8*c2Fs*aXY*Ym9keQ*1798*c2E*bWFj~2'
  const content = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ'
  test.each([
    ['as a JWT with a blank in its signature', `${content}.c2lnbmF0dXJl`, `${content}.c2ln bmF0dXJl`],
    ['as a seal of iron-session with more at its end', seal, `${seal}junk`],
    ['as a JWT with another signature that is good', `${content}.c2lnbmF0dXJl`, `${content}.YW5vdGhlcg`],
    [
      'in other case, with accents and letters that are not seen',
      'n7pq2gk5t0m9wzr4c8vx',
      encodeURIComponent('\u0007Ñ7PQ2GK5T0M9WZR4C8VX\u200b'),
    ],
    ['beside another one, with a blank after its name', seal, `${seal}; old=Fe26.2*x`, 'old ='],
    ['beside another one, too long to be one', seal, `${seal}${'x'.repeat(9_000)}; old=x`],
  ])('%s', async (_name, value, copy, name = 'old=') => {
    const lenient = (req: Request) => (req.headers.cookie?.includes('old') ? ann : undefined)
    const { visitor } = shop({ adopt: { ...adopt, user: lenient } })
    const first = visitor({ cookie: `old=${value}` })
    expect(await first.user()).toEqual(ann)
    await first.logout()
    expect((await visitor().get('/', { Cookie: name + copy })).body).toEqual({ user: null, id: null })
  })

  test('that was never used, once all sessions of its user have been ended', async () => {
    const { old, sessions } = shop()
    await sessions.revokeAll('ann')
    expect(await old('ann').user()).toBeNull()
    expect(await old('ann', '-laptop').user()).toBeNull()
    expect(await old('bob').user()).toEqual(bob)
    moveTheClock(30 * DAY)
    expect(await old('ann', '-phone').user()).toBeNull()
  })

  test('of another device, after a change of credentials on this one', async () => {
    const { old } = shop()
    const laptop = old('ann', '-laptop')
    await laptop.get('/')
    await laptop.run((session) => session.credentialsChanged())
    expect(await old('ann', '-stolen').user()).toBeNull()
    expect(await old('ann', '-laptop').user()).toBeNull()
    expect(await laptop.user()).toEqual(ann)
  })

  test('of another device, after "all others" on this one', async () => {
    const { old } = shop()
    const laptop = old('ann', '-laptop')
    await laptop.get('/')
    await laptop.run((session) => session.revokeOthers())
    expect(await old('ann', '-stolen').user()).toBeNull()
    expect(await laptop.user()).toEqual(ann)
  })
})

test('each old cookie starts a session of its own, and of nobody else', async () => {
  const { old, sessions } = shop()
  const visitors = [old('ann', '-laptop'), old('ann', '-phone'), old('bob', '-laptop')]
  const seen = []
  for (const visitor of visitors) seen.push(await visitor.user())
  expect(seen).toEqual([ann, ann, bob])
  expect(await sessions.list('ann')).toHaveLength(2)
  await visitors[0]!.logout()
  expect(await visitors[1]!.user()).toEqual(ann)
})

test('marks are no sessions: they are not shown, send no event, and end with their time', async () => {
  const store = memoryStore()
  const { old, sessions, events } = shop({ store })
  await old('ann').get('/')
  await sessions.revokeAll('ann')
  const { records } = await store.scan(100)
  const ids = records.map(({ id }) => id)
  expect(ids).toHaveLength(2)
  for (const id of ids) expect(await sessions.find(id)).toBeUndefined()
  moveTheClock(61 * DAY)
  for (const id of ids) expect(await sessions.find(id)).toBeUndefined()
  expect(store.deleteExpired!(Date.now(), 100)).toBe(2)
  expect(events.map(({ name }) => name)).toEqual(['adopt', 'revoke'])
})

describe('when something fails', () => {
  test.each(['insert', 'get', 'update'] as const)(
    'in the store (%s), it is a 503, and the next request works',
    async (operation) => {
      const store = new FaultyStore('async')
      const { old, sessions } = shop({ store })
      store.breakAt(operation, 'rejects')
      const visitor = old('ann')
      const res = await visitor.get('/')
      expect([res.status, setCookies(res)]).toEqual([503, []])
      store.mend()
      moveTheClock(11 * SECOND)
      expect(await visitor.user()).toEqual(ann)
      expect(await sessions.list('ann')).toHaveLength(1)
    },
  )

  test('in the function of the application, it is a 503 with its cause', async () => {
    const user = () => {
      throw new Error('no database')
    }
    const { old, errors } = shop({ adopt: { ...adopt, user } })
    expect((await old('ann').get('/')).status).toBe(503)
    expect(errors).toMatchObject([{ code: 'USER_LOAD_FAILED', cause: { message: 'no database' } }])
  })

  test('a user without an id is told as at a login', async () => {
    const { old, errors } = shop({ adopt: { ...adopt, user: () => ({ name: 'Ann' }) } })
    expect((await old('ann').get('/')).status).toBe(500)
    expect(errors).toMatchObject([{ code: 'USER_INVALID' }])
  })
})

test('with loadUser the user is read, and with a lifetime of its own it lives as long', async () => {
  const { old, sessions } = shop({
    loadUser: (id: string) => ({ ...users[id], loaded: true }),
    lifetime: { idle: '1d', absolute: '2d' },
  })
  expect(await old('ann').user()).toEqual({ ...ann, loaded: true })
  const [session] = await sessions.list('ann')
  expect(session!.absoluteExpiresAt - session!.createdAt).toBe(2 * DAY)
})

const misuse: [object, string][] = [
  [{ cookies: [] }, 'an array of 1 to 8 cookies'],
  [{ cookies: [{ name: 'a b' }] }, 'name'],
  [{ cookies: [{ name: 'old' }, { name: 'old', path: '/x' }] }, 'differ in their names'],
  [{ cookies: [{ name: 'sid' }] }, 'the name of our own cookie'],
  [{ cookies: [{ name: 'old', pfad: '/' }] }, 'no option'],
  [{ until: '2027-01-01' }, 'a Date'],
  [{ until: new Date('never') }, 'a Date'],
  [{ user: undefined }, 'a function'],
]
test.each(misuse)('%j is refused at the start', (given, message) => {
  const make = () => sessionMiddleware({ adopt: { ...adopt, ...given } })
  expect(make).toThrow(SessionError)
  expect(make).toThrow(message)
})

test('a store without atomic updates is refused at the start, with the reason', () => {
  const store = fromExpressSession(new expressSession.MemoryStore())
  expect(() => createSessions({ store, adopt })).toThrow(/adopt needs a store with atomic updates/)
})

test('without the option nothing of it is there', async () => {
  const { visitor, sessions } = site(express5)
  const one = visitor({ cookie: oldCookie('ann') })
  expect(await one.user()).toBeNull()
  expect(one.cookie).toBe(oldCookie('ann'))
  await sessions.revokeAll('ann')
})

test('who asks for a token in the body gets no cookie beside it for an old cookie', async () => {
  const { old, sessions, namesOf } = shop({ bearer: true })
  const res = await old('ann').login({ 'Session-Via': 'bearer', 'X-User': 'ann' })
  expect(res.status).toBe(200)
  expect([setCookies(res), typeof res.body.token]).toEqual([[], 'string'])
  expect(await sessions.list('ann')).toHaveLength(1)
  expect(namesOf()).toEqual(['login'])
})
