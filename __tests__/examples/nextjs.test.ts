import request from 'supertest'
import { app, sessions } from '../../examples/nextjs.js'

// The API of docs/guides/nextjs.md, with the headers that a rewrite of Next.js sends: its own name stands in
// X-Forwarded-Host, and Host is where it connects to. Next.js itself runs in nextjs.long.test.ts.

const HOUR = 3_600_000
const chrome = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36',
}
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const rewritten = {
  ...chrome,
  Accept: 'application/json',
  'X-Forwarded-Host': 'shop.example.com',
  'X-Forwarded-Proto': 'https',
}
const origin = { Origin: 'https://shop.example.com' }

afterEach(() => jest.restoreAllMocks())
afterAll(() => sessions.close())

async function logIn(): Promise<string> {
  const { headers } = await request(app)
    .post('/api/login')
    .set({ ...rewritten, ...origin })
    .send({ name: 'ann', password: 'tea' })
    .expect(200)
  return (headers['set-cookie'] as unknown as string[])[0]!
}

const cookieOf = (line: string) => line.split(';')[0]!

const me = (cookie: string, headers: Record<string, string> = rewritten) =>
  request(app)
    .get('/api/me')
    .set({ ...headers, Cookie: cookie })

test('a page of the same origin logs in through the rewrite, and one of another origin changes nothing', async () => {
  const line = await logIn()
  expect(line).toMatch(/^__Host-sid=.*; Secure/)
  const cookie = cookieOf(line)
  const logout = (from: string) =>
    request(app)
      .post('/api/logout')
      .set({ ...rewritten, Origin: from, Cookie: cookie })
  await logout('https://evil.example.com').expect(403)
  await me(cookie).expect(200, { id: 'ann' })
  await logout(origin.Origin).expect(200)
  await me(cookie).expect(401)
})

test('a server component sends the scheme and the User-Agent along: without the first it has no user, by the second no thief is one', async () => {
  const cookie = cookieOf(await logIn())
  const https = { 'X-Forwarded-Proto': 'https' }
  await me(cookie, { ...https, ...chrome }).expect(200, { id: 'ann' })
  await me(cookie, chrome).expect(401)
  await me(cookie, { ...https, 'User-Agent': firefox }).expect(401)
})

/** Calls of one session in the same hour, after its secret is due: whether each got a new cookie. */
async function renewals(
  cookie: string,
  hours: number,
  ...calls: Record<string, string>[]
): Promise<boolean[]> {
  jest.spyOn(Date, 'now').mockReturnValue(start + hours * 1.1 * HOUR)
  const got: boolean[] = []
  for (const headers of calls) {
    const answer = await me(cookie, headers).expect(200)
    got.push(answer.headers['set-cookie'] !== undefined)
  }
  return got
}
const start = Date.now()
const page = { ...rewritten, 'Sec-Fetch-Dest': 'image' }

test('a server component that says so gets no new cookie: it would take that of the browser, and lose it', async () => {
  const cookie = cookieOf(await logIn())
  // Without it, hour after hour, and the old cookie stays good.
  for (const hours of [1, 2, 3]) {
    expect(await renewals(cookie, hours, rewritten, rewritten)).toEqual([true, false])
  }
  expect(await renewals(cookie, 4, page, rewritten)).toEqual([false, true])
})

test('a server component without the address would be another network', async () => {
  const changes = jest.fn()
  sessions.on('clientChange', changes)
  const from = { ...rewritten, 'X-Forwarded-For': '203.0.113.7' }
  const login = await request(app).post('/api/login').set(from).send({ name: 'ann', password: 'tea' })
  const cookie = cookieOf(login.headers['set-cookie']![0]!)
  await me(cookie, from).expect(200)
  expect(changes).not.toHaveBeenCalled()
  await me(cookie).expect(200)
  expect(changes).toHaveBeenCalledTimes(1)
})
