import { readFileSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { startApp, type App } from '../support/app-process.js'
import { chrome } from '../support/people.js'
import { scratchFolder } from '../support/scratch.js'

// What is kept from a request is a copy of its own. A part of a header would keep the whole header in memory.

const KB = 1024
const scratch = scratchFolder()

/** One request on a connection of its own, so that no open socket keeps the request. */
async function ask(app: App, method: string, path: string, headers: Record<string, string> = {}, body = '') {
  const form = body === '' ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }
  const sent = request(`${app.url}${path}`, { method, headers: { ...form, ...headers }, agent: new Agent() })
  const res = await new Promise<IncomingMessage>((resolve, reject) =>
    sent.on('response', resolve).on('error', reject).end(body),
  )
  const cookie = res.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  return { status: res.statusCode, cookie, body: await text(res) }
}

async function heapOf(app: App): Promise<number> {
  return (JSON.parse((await ask(app, 'GET', '/heap')).body) as { used: number }).used
}

async function withApp(store: string, work: (app: App) => Promise<void>): Promise<void> {
  const env = { STORE: store, NODE_OPTIONS: '--max-http-header-size=65536' }
  const app = await startApp('__tests__/support/memory-server.ts', env)
  try {
    await work(app)
  } finally {
    await app.stop()
  }
}

const stores = ['memory', 'near', 'adapted']

test.each(stores)(
  'a guest with long headers takes no more memory than others: %s',
  async (store) => {
    await withApp(store, async (app) => {
      const visit = async (at: number) => {
        const headers = {
          'User-Agent': `${at} ${'u'.repeat(15 * KB)}`,
          'X-Forwarded-For': `2001:db8:1234:5678:9abc:def0:1234:${at.toString(16)}, ${'10.0.0.1, '.repeat(1_500)}10.0.0.2`,
        }
        const { cookie, status } = await ask(app, 'POST', '/keep', headers, `key=a-key-of-the-application`)
        expect(status).toBe(204)
        // A lookup: its id is a part of the Cookie header.
        await ask(app, 'GET', '/', { Cookie: `${cookie}; other=${'c'.repeat(15 * KB)}` })
      }
      const many = async (from: number, count: number) => {
        for (let at = from; at < from + count; at += 20)
          await Promise.all(Array.from({ length: 20 }, (_, i) => visit(at + i)))
      }
      await many(0, 100)
      const before = await heapOf(app)
      await many(100, 400)
      expect(((await heapOf(app)) - before) / 400).toBeLessThan(6 * KB)
    })
  },
  60_000,
)

test.each(stores)(
  'no token and no other cookie stays in memory: %s',
  async (store) => {
    await withApp(store, async (app) => {
      const other = 'another-cookie-of-the-application'
      const agent = 'the-end-of-a-long-user-agent'
      const proxies = '198.51.100.201'
      const rest = 'the-rest-of-the-body'
      const tokens: string[] = []
      for (let at = 0; at < 5; at += 1) {
        const headers = {
          Cookie: `other=${other}`,
          'User-Agent': `${chrome.userAgent}${' '.repeat(512)}${agent}`,
          'X-Forwarded-For': `203.0.113.${at + 100}, ${proxies}`,
        }
        const body = `id=a-user-with-a-long-id-${at}&key=a-key-with-a-long-name-${at}&rest=${rest}`
        const { cookie, status } = await ask(app, 'POST', '/login', headers, body)
        expect(status).toBe(200)
        const held = { ...headers, Cookie: `other=${other}; ${cookie}` }
        // One writes, one finds the record, one is reported as a client of another network.
        const elsewhere = { ...held, 'X-Forwarded-For': `192.0.2.${at + 100}, ${proxies}` }
        expect((await ask(app, 'POST', '/keep', elsewhere, body)).status).toBe(204)
        for (const seen of [held, elsewhere]) expect((await ask(app, 'GET', '/', seen)).status).toBe(200)
        tokens.push(cookie.slice(cookie.indexOf('=') + 1))
      }
      // Once more: what the process remembers of its last request is not kept.
      await ask(app, 'GET', '/', { Cookie: 'sid=nothing' })
      const file = scratch(`${store}.heapsnapshot`)
      await ask(app, 'GET', `/snapshot?file=${encodeURIComponent(file)}`)
      const snapshot = readFileSync(file, 'latin1')
      // It is a snapshot of this app: the sessions are in it.
      for (const token of tokens) expect(snapshot).toContain(token.slice(0, 36))
      const secrets = [...tokens.map((token) => token.slice(37)), other, agent, proxies, rest]
      expect(secrets.filter((secret) => snapshot.includes(secret))).toEqual([])
    })
  },
  60_000,
)
