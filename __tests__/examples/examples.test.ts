import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import request from 'supertest'
import { codeBlocks, readText, root } from '../docs/support/page.js'
import { HOUR, moveTheClock, stopTheClock } from '../support/core.js'
import { listen } from '../support/listen.js'
import { scratchFolder } from '../support/scratch.js'
import * as commandLine from '../../examples/command-line.js'
import * as eventStreams from '../../examples/event-streams.js'
import * as flash from '../../examples/flash.js'
import * as rememberMe from '../../examples/remember-me.js'
import * as roles from '../../examples/roles.js'
import * as spa from '../../examples/spa.js'
import * as tenants from '../../examples/tenants.js'

// The apps of examples/, each of which a guide shows as it is.

const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))

test.each(examples)('the guide shows examples/%s as it is', (file) => {
  const guide = readText(`docs/guides/${file.replace('.ts', '.md')}`)
  expect(codeBlocks(guide)).toContain(readText(`examples/${file}`))
})

test('flash: a message is shown once, and not eaten by an image', async () => {
  const agent = request.agent(flash.app)
  await agent.post('/cart').expect(303)
  await agent.get('/').set('Accept', 'image/png').expect(200, [])
  await agent.get('/').set('Accept', 'text/html').expect(200, ['The tea is in your cart.'])
  await agent.get('/').set('Accept', 'text/html').expect(200, [])
})

test('roles: a role counts from the next request on, and a profile is edited by its owner alone', async () => {
  const ann = request.agent(roles.app)
  const bob = request.agent(roles.app)
  await ann.post('/login/ann').expect(200)
  await bob.post('/login/bob').expect(200)
  await ann.post('/articles').expect(201)
  await bob.post('/articles').expect(403)
  await request(roles.app).post('/articles').expect(401)
  roles.people.get('bob')!.role = 'editor'
  await bob.post('/articles').expect(201)
  await ann.put('/profile').send({ name: 'Ann of Green Gables' }).expect(200)
  expect((await ann.get('/profile')).body).toMatchObject({ name: 'Ann of Green Gables' })
  await roles.sessions.close()
})

test.each([
  ['with the box, a login outlives the browser and the hour', { remember: 'yes' }, /; Max-Age=/, 200],
  ['without the box, a login ends with the window, or after an hour', {}, /^(?!.*(?:Max-Age|Expires))/, 401],
  ['a box with another value is no box', { remember: 'no' }, /^(?!.*(?:Max-Age|Expires))/, 401],
])('remember me: %s', async (_, box, cookie, later) => {
  stopTheClock()
  const agent = request.agent(rememberMe.app)
  const sent = await agent
    .post('/login')
    .type('form')
    .send({ name: 'ann', ...box })
    .expect(200)
  expect((sent.headers['set-cookie'] as unknown as string[])[0]).toMatch(cookie)
  await agent.get('/me').expect(200)
  moveTheClock(2 * HOUR)
  await agent.get('/me').expect(later)
  jest.useRealTimers()
})

test('tenants: a cookie of one tenant opens nothing of another, and users of one name are two', async () => {
  const login = await request(tenants.app).post('/login/ann').set('Host', 'red.example.com').expect(200)
  const [cookie] = (login.headers['set-cookie'] as unknown as string[])[0]!.split(';')
  const get = (host: string) => request(tenants.app).get('/').set({ Host: host, Cookie: cookie! })
  expect((await get('red.example.com').expect(200)).body).toEqual({ id: 'ann', tenant: 'red' })
  await get('blue.example.com').expect(401)
  await get('evil.example.com').expect(421)
  expect(await tenants.sessions.list('red/ann')).toHaveLength(1)
  expect(await tenants.sessions.list('blue/ann')).toEqual([])
  await tenants.sessions.close()
})

test.each<[string, (agent: ReturnType<typeof request.agent>) => Promise<unknown>]>([
  ['a logout', (agent) => agent.post('/logout')],
  ['a revocation', () => eventStreams.sessions.revokeAll('ann')],
])('event streams: %s ends the stream', async (_, end) => {
  const { server, url, close } = await listen(eventStreams.app)
  const agent = request.agent(server)
  const login = await agent.post('/login/ann').expect(200)
  const [cookie] = (login.headers['set-cookie'] as unknown as string[])[0]!.split(';')
  const response = await fetch(`${url}/events`, { headers: { cookie: cookie! } })
  const reader = response.body!.getReader()
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: hello\n\n')
  await end(agent)
  expect((await reader.read()).done).toBe(true)
  await close()
})

test('a single-page app: its origin may, another one may not', async () => {
  const https = { 'X-Forwarded-Proto': 'https', 'Sec-Fetch-Site': 'same-site' }
  const front = { ...https, Origin: 'https://app.example.com' }
  await request(spa.app)
    .options('/login')
    .set(front)
    .expect(204)
    .expect('Access-Control-Allow-Credentials', 'true')
  const login = await request(spa.app).post('/login').set(front).send({ name: 'ann' }).expect(200)
  const [cookie] = (login.headers['set-cookie'] as unknown as string[])[0]!.split(';')
  expect(cookie).toMatch(/^__Host-sid=/)
  const me = await request(spa.app)
    .get('/me')
    .set({ ...front, Cookie: cookie! })
    .expect(200)
  expect(me.headers['access-control-allow-origin']).toBe('https://app.example.com')
  const evil = { ...https, Origin: 'https://evil.example.com', Cookie: cookie! }
  await request(spa.app).post('/logout').set(evil).expect(403)
  expect((await request(spa.app).get('/me').set(evil)).headers).not.toHaveProperty(
    'access-control-allow-origin',
  )
  await request(spa.app)
    .post('/logout')
    .set({ ...front, Cookie: cookie! })
    .expect(200)
  await spa.sessions.close()
})

describe('a command line', () => {
  const file = scratchFolder()

  test('logs in once, keeps its token for itself, and logs out for good', async () => {
    const { url, close } = await listen(commandLine.app)
    const token = file('token')
    const shop = commandLine.commandLine(url, token)
    await shop.login('ann')
    expect(statSync(token).mode & 0o777).toBe(0o600)
    // Another start of the same command.
    expect(await commandLine.commandLine(url, token).whoAmI()).toEqual({ id: 'ann' })
    await commandLine.sessions.revokeAll('ann')
    expect(await shop.whoAmI()).toBeUndefined()
    await shop.login('ann')
    await shop.logout()
    await expect(shop.whoAmI()).rejects.toThrow('ENOENT')
    await close()
  })
})
