import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { needs } from '../support/needs.js'
import { startCluster, type RedisCluster } from '../support/redis-cluster.js'
import { widely } from '../support/wide.js'
import { sendRaw } from './support/raw.js'
import { startVictim, type Victim } from './support/victim.js'

jest.setTimeout(30_000)

const unique = `sidtest_${randomBytes(4).toString('hex')}`
let cluster: RedisCluster | undefined
afterAll(() => cluster?.remove())

const open = (place: string) => async () => place
const all = [
  ['memory', open('memory'), describe],
  ['SQLite', open('sqlite:FOLDER/sessions.sqlite'), describe],
  ['Redis through node-redis', open(`redis:${unique}:`), needs('redis')],
  ['Redis through ioredis', open(`ioredis:${unique}i:`), needs('redis')],
  ['a Redis Cluster', openCluster, needs('redis-server')],
  ['PostgreSQL', open(`postgres:${unique}`), needs('postgres')],
  ['PGlite', open(`pglite:${unique}`), describe],
  ['MariaDB', open(`mysql:${unique}`), needs('mysql')],
  ['a store of express-session', open('adapted:'), describe],
] as const

const few: ReadonlySet<string> = new Set(['memory', 'Redis through node-redis'])
const stores = widely(all, ([name]) => few.has(name))

/** It has no list of a user's sessions, and says so with an error. */
const listsNothing = 'a store of express-session'

async function openCluster(): Promise<string> {
  cluster = await startCluster()
  return `redis-cluster:${cluster.primaries[0]!.url}`
}

const cookie = (value: string) => `Cookie: sid=${value}`
const inAll = <T, U>(items: readonly T[], work: (item: T) => Promise<U>) => Promise.all(items.map(work))

for (const [name, store, describeIf] of stores) {
  describeIf(`a server on ${name}, over raw sockets`, () => {
    let victim: Victim
    beforeAll(async () => {
      victim = await startVictim(await store())
    }, 60_000)
    afterAll(() => victim.stop())

    const { ask, logIn, whoIs } = {
      ask: (...args: Parameters<Victim['ask']>) => victim.ask(...args),
      logIn: (as?: string) => victim.logIn(as),
      whoIs: (...lines: string[]) => victim.whoIs(...lines),
    }
    /** Nobody is logged in by any of these header lines, each for itself. */
    const areNobody = async (lines: readonly string[]) => {
      const users = await inAll(lines, (line) => whoIs(line))
      expect(lines.filter((_, index) => users[index] !== null)).toEqual([])
    }

    test('knows the holder of a token, whatever other cookies come with it', async () => {
      const token = await logIn()
      const lines = [
        cookie(token),
        `Cookie: a=1;sid=${token}`,
        `cookie: a=1; b; =; ;; sid=${token}; c="d`,
        `Cookie: sid=${token}; sid=${token}`,
        `Cookie: sid=${token}; sid=garbage`,
        `Cookie: ${'x=1; '.repeat(2_900)}sid=${token}`,
      ]
      expect(await inAll(lines, (line) => whoIs(line))).toEqual(lines.map(() => 'ann'))
      expect(await whoIs('Cookie: a=1', cookie(token))).toBe('ann')
    })

    test('takes no token with any one character changed', async () => {
      const token = await logIn()
      const swap = (char: string) => (char === 'a' ? 'b' : 'a')
      const mangled = Array.from(token, (char, at) => token.slice(0, at) + swap(char) + token.slice(at + 1))
      await areNobody(mangled.map(cookie))
      await areNobody(Array.from(token, (_, at) => cookie(token.slice(0, at) + token.slice(at + 1))))
      expect(await whoIs(cookie(token))).toBe('ann')
    })

    test('takes nothing that only resembles a token', async () => {
      const token = await logIn()
      const [id, secret] = token.split('.') as [string, string]
      const other = (await logIn('bob')).split('.') as [string, string]
      await areNobody(
        [
          '',
          '.',
          'undefined',
          '[object Object]',
          '{}',
          'null',
          '*',
          '%00',
          '../../etc/passwd',
          "' OR 1=1 --",
          id,
          secret,
          `.${secret}`,
          `${id}.`,
          `${id}${secret}`,
          `${id}.${other[1]}`,
          `${other[0]}.${secret}`,
          `${id}.${'A'.repeat(65)}`,
          `019a0000-0000-7000-8000-000000000000.${secret}`,
          token.toUpperCase(),
          `${id.toUpperCase()}.${secret}`,
          `${id}.${secret.toLowerCase()}`,
          token.replace('.', '%2E'),
          token.replaceAll('-', '%2D'),
          encodeURIComponent(`"${token}"`),
          `"${token}"`,
          `'${token}'`,
          `${token}${token}`,
          `${token},${token}`,
          `${token} ${token}`,
          `s:${token}`,
          `${token}.`,
          `${token}=`,
          `${token}\xa0`,
          `\xa0${token}`,
          `${token}\\`,
          `j:"${token}"`,
          token.replaceAll('-', '_'),
          secret.slice(22),
          'x'.repeat(8_000),
          `${token}${'x'.repeat(8_000)}`,
        ].map(cookie),
      )
    })

    test('takes no token under another name', async () => {
      const token = await logIn()
      await areNobody(
        [
          'Sid',
          'SID',
          'sid ',
          'sid\t',
          'my-sid',
          '-sid',
          'xsid',
          'sid2',
          'sid[]',
          'sid.0',
          '__host-sid',
          '__Host-sid',
          '__HOST-sid',
          '__Secure-sid',
          '$sid',
          '"sid"',
          '%73id',
          'sid%20',
          '\xa0sid',
          'sid\xa0',
          'connect.sid',
          '=sid',
          'a=sid',
        ].map((other) => `Cookie: ${other}=${token}`),
      )
      await areNobody([
        `Cookie: sid:${token}`,
        `Cookie: ${token}`,
        `Cookie: sid==${token}`,
        `Cookie2: sid=${token}`,
      ])
    })

    test('takes no token from elsewhere than the cookie', async () => {
      const token = await logIn()
      await areNobody([
        `Sid: ${token}`,
        `X-Sid: ${token}`,
        `Authorization: Bearer ${token}`,
        `Set-Cookie: sid=${token}`,
      ])
      for (const request of [`GET /?sid=${token}`, `GET /?cookie=sid=${token}`, 'GET /']) {
        expect((await ask(request)).body).toBe('Welcome Stranger!')
      }
      // Not by `ask`, which remembers what was said: Express shows an unknown address to who asked for it.
      for (const path of [`/${token}`, `/;sid=${token}`]) {
        const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
        expect(await sendRaw(victim.port, head)).toMatch(/^HTTP\/1\.1 404 /)
      }
    })

    test('survives broken requests', async () => {
      const token = await logIn()
      const broken = ['\0', '\x01', '\x0b', '\x7f', '\r', '\n', '\xff\xfe', '\r\n '].flatMap((bytes) => [
        `Cookie: sid=${token}${bytes}`,
        `Cookie: sid=${bytes}${token}`,
        `Cookie: sid${bytes}=${token}`,
      ])
      // Where Node reads the bytes as the end of a line or as nothing, the token is the token.
      const users = await inAll(broken, (line) => whoIs(line))
      expect(users.filter((user) => user !== null && user !== 'ann')).toEqual([])
      await areNobody([`Cookie: sid=${token}\0`, `Cookie: sid\0=${token}`, `Cookie: sid=${token}\xff`])
      const flood = await sendRaw(
        victim.port,
        `GET / HTTP/1.1\r\nHost: a\r\nCookie: sid=${'x'.repeat(40_000)}\r\n\r\n`,
      )
      expect(flood).toMatch(/^HTTP\/1\.1 431 |^$/)
      expect(await sendRaw(victim.port, `GET / HTTP/1.0\r\nCookie: sid=${token}\r\n\r\n`)).toContain(
        'Welcome User!',
      )
      await new Promise((resolve) => {
        const half = connect(victim.port, '127.0.0.1', () =>
          half.end('POST /login?as=ann HTTP/1.1\r\nHost: a\r\nCook'),
        )
        half.on('close', resolve).resume()
      })
      expect(await whoIs(cookie(token))).toBe('ann')
    })

    test('counts two live tokens as nobody, and one logout ends both', async () => {
      const [first, second] = [await logIn(), await logIn('bob')]
      await areNobody([
        `Cookie: sid=${first}; sid=${second}`,
        `Cookie: sid=${first}\r\nCookie: sid=${second}`,
      ])
      await ask('POST /logout', `Cookie: sid=${first}; sid=${second}`)
      await areNobody([first, second].map(cookie))
    })

    test('adopts no token that was planted before the login', async () => {
      const planted = `019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}`
      const { sid } = await ask('POST /login?as=ann', cookie(planted))
      expect(sid).not.toContain(planted.slice(0, 36))
      expect(sid).not.toContain('A'.repeat(65))
      await areNobody([cookie(planted)])
      // A guest's session that the attacker started is not what the victim's login goes on with.
      const guest = (await ask('POST /set/cart')).sid!
      const { sid: next } = await ask('POST /login?as=ann', cookie(guest))
      expect(next!.slice(0, 36)).not.toBe(guest.slice(0, 36))
      await areNobody([cookie(guest)])
      expect((await ask('GET /get/cart', cookie(next!))).body).toBe('null')
    })

    test('keeps a live session beside a login that fails', async () => {
      const token = await logIn()
      const failed = await ask('POST /login', cookie(token))
      expect([failed.status, failed.sid]).toEqual([401, undefined])
      expect(await whoIs(cookie(token))).toBe('ann')
    })

    test('responds alike to a logout of nothing, of garbage and of a dead session', async () => {
      const dead = await logIn()
      await ask('POST /logout', cookie(dead))
      for (const lines of [[], [cookie('garbage')], [cookie(dead)]]) {
        const { status, body } = await ask('POST /logout', ...lines)
        expect([status, body]).toEqual([200, "Can't Log Out: No User Logged In"])
      }
    })

    test('HEAD, a prefetch and pages of other origins log nobody in or out', async () => {
      const token = await logIn()
      const answers = await inAll(
        [
          ['HEAD /login?as=bob'],
          ['HEAD /logout'],
          ['GET /login?as=bob', 'Sec-Purpose: prefetch'],
          ['GET /logout', 'Sec-Purpose: prefetch;prerender'],
          ['GET /login?as=bob', 'Sec-Fetch-Site: cross-site'],
          ['POST /logout', 'Sec-Fetch-Site: same-site'],
          ['POST /login?as=bob', 'Origin: https://evil.example'],
          ['GET /logout', 'Origin: null'],
          ['POST /set/a', 'Sec-Fetch-Site: cross-site'],
          ['DELETE /set/a', 'Origin: http://our.example:81'],
        ] as const,
        async ([request, ...lines]) => {
          // The 503 of a prefetch is meant; everything else stays below 500.
          const isPrefetch = lines.some((line) => line.startsWith('Sec-Purpose'))
          const asked = ask(request, cookie(token), ...lines)
          const error = isPrefetch ? await asked.catch((reason: Error) => reason.message) : undefined
          return isPrefetch ? Number(/ 503 /.test(error as string) && 503) : (await asked).status
        },
      )
      expect(answers).toEqual([405, 405, 503, 503, 403, 403, 403, 403, 403, 403])
      expect(await whoIs(cookie(token))).toBe('ann')
    })

    test('a logout is final, whatever slow request is in flight over it', async () => {
      const rounds = Array.from({ length: 20 }, (_, round) => round)
      await inAll(rounds, async (round) => {
        const token = await logIn()
        const jitter = (factor: number) => (round * factor) % 30
        const inFlight = [
          ask(`GET /slow?ms=${jitter(7)}`, cookie(token)),
          ask(`POST /slow-write?ms=${jitter(11)}`, cookie(token)),
          ask(`POST /slow-write?ms=${jitter(5)}`, cookie(token)),
          ask('POST /count', cookie(token)),
        ]
        await pause(jitter(3))
        await ask('POST /logout', cookie(token))
        expect(await whoIs(cookie(token))).toBeNull()
        // One whose lookup came after the logout is a stranger's: what it writes may start a guest, never a login.
        const given = (await Promise.all(inFlight)).map(({ sid }) => sid).filter(Boolean)
        await areNobody(given.map((sid) => cookie(sid!)))
        expect(await whoIs(cookie(token))).toBeNull()
        expect((await ask('GET /guarded', cookie(token))).status).toBe(401)
      })
    })

    test('of many logins at once each that was acknowledged is live, and what the browser held is not', async () => {
      const held = await logIn()
      const logins = await inAll([...Array(10).keys()], () => ask('POST /login?as=ann', cookie(held)))
      const tokens = logins.map(({ sid }) => sid!)
      expect(new Set(tokens).size).toBe(10)
      expect(await inAll(tokens, (token) => whoIs(cookie(token)))).toEqual(tokens.map(() => 'ann'))
      await areNobody([cookie(held)])
    })

    test('concurrent writes lose nothing: forty increments count to forty', async () => {
      const token = await logIn()
      const counts = await inAll([...Array(40).keys()], () => ask('POST /count', cookie(token)))
      const expected = [...Array(40).keys()].map((index) => index + 1)
      expect(counts.map(({ body }) => Number(body)).toSorted((a, b) => a - b)).toEqual(expected)
      await inAll(['a', 'b', '__proto__', 'constructor'], (key) => ask(`POST /set/${key}`, cookie(token)))
      for (const key of ['a', 'b', '__proto__', 'constructor']) {
        expect((await ask(`GET /get/${key}`, cookie(token))).body).toBe('true')
      }
    })

    test('lets no secret out: not in a list, a log, an error or its store, and what is stored opens nothing', async () => {
      const token = await logIn()
      if (name !== listsNothing) await ask('GET /list', cookie(token))
      await ask('POST /slow-write?ms=0', cookie(token))
      const { body: dump } = await ask('GET /dump')
      // It really is the dump: the hashes are there.
      expect(dump.replaceAll('\\', '').includes('"secretHash":"')).toBe(true)
      const everything = victim.said()
      const parts = victim.issued.flatMap((one) => [one, one.slice(37), one.slice(37, 59), one.slice(59)])
      expect(parts.length).toBeGreaterThan(100)
      expect(parts.filter((part) => everything.includes(part))).toEqual([])

      const hash = (field: string) => new RegExp(`"${field}":"([\\w-]{43})"`, 'g')
      const hashes = ['secretHash', 'seriesHash'].flatMap((field) =>
        [...dump.replaceAll('\\', '').matchAll(hash(field))].map((match) => match[1]!),
      )
      const id = token.slice(0, 36)
      const forged = [...new Set(hashes)]
        .slice(0, 60)
        .flatMap((one) => [
          `${id}.${one}`,
          `${id}.${one.slice(0, 22)}${one}`,
          `${id}.${token.slice(37, 59)}${one}`,
        ])
      await areNobody(forged.map(cookie))
    })

    test('is still running after all that, and said nothing of a rejection that nobody handled', () => {
      expect(victim.isRunning()).toBe(true)
      // Its log alone: among thousands of random hashes in the answers, one sooner or later spells `eRr_`.
      expect(victim.logged()).not.toMatch(/unhandled|uncaught|ERR_|ExpressSidWarning/i)
    })
  })
}
