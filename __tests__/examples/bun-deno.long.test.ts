import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { readText } from '../docs/support/page.js'
import { packedTarball } from '../packaging/support/packed.js'
import { needs, urls } from '../support/needs.js'
import { scratchFolder } from '../support/scratch.js'

// The table of docs/guides/bun-deno.md: the packed package under both runtimes. They come from npm, and are large, so
// they are installed here and are no devDependencies.

jest.setTimeout(180_000)

const run = promisify(execFile)
const file = scratchFolder()
const runtimes: [string, string[]][] = [
  ['bun', []],
  ['deno', ['run', '--allow-net', '--allow-env', '--allow-read']],
]
const binary = (name: string) => join(file('app'), 'node_modules/.bin', name)

/** What both can do beside the app of the guide. Prints one line for each thing. */
const more = `
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { WebSocketServer } from 'ws'
import { authenticateUpgrade, createSessions } from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import { loginAs } from 'express-sid/testing'

async function sqlite(name, database) {
  const sessions = createSessions({ store: sqliteStore(database) })
  const ann = await loginAs(sessions, { id: 'ann' })
  const before = (await sessions.list('ann')).length
  await sessions.revoke(ann.session.id)
  console.log(name, before, (await sessions.list('ann')).length)
  await sessions.close()
}
await sqlite('node:sqlite', new (await import('node:sqlite')).DatabaseSync(':memory:'))
if (process.versions.bun) await sqlite('bun:sqlite', new (await import('bun:sqlite')).Database(':memory:'))

const sessions = createSessions()
const app = express()
const server = createServer(app)
const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', async (request, socket, head) => {
  const found = await authenticateUpgrade(sessions, request, { app })
  if (!found) return socket.end('HTTP/1.1 401 Unauthorized\\r\\n\\r\\n')
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.on('close', sessions.onEnd(found.session.id, () => ws.close(4401, 'Logged out')))
    ws.send(found.user.id)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log('listening', server.address().port)
const ann = await loginAs(sessions, { id: 'ann' })
console.log('cookie', ann.cookie)
process.stdin.once('data', () => sessions.revokeAll('ann'))
`

needs('registry', 'redis')('Bun and Deno', () => {
  beforeAll(async () => {
    const app = file('app')
    execFileSync('mkdir', ['-p', app])
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }')
    writeFileSync(join(app, 'app.ts'), readText('examples/bun-deno.ts'))
    writeFileSync(join(app, 'more.mjs'), more)
    const packages = [await packedTarball(), 'express', 'redis', 'ws', 'bun', 'deno']
    await run('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: app })
  })

  const start = (name: string, args: string[]) => {
    const child = spawn(binary(name), args, {
      cwd: file('app'),
      env: { ...process.env, REDIS_URL: urls.redis },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() }
  }

  test.each(runtimes)('%s runs the app of the guide, and ends in order', async (name, args) => {
    const { child, lines } = start(name, [...args, 'app.ts'])
    const url = (await lines.next()).value as string
    const post = (path: string, init: RequestInit = {}) => fetch(url + path, { method: 'POST', ...init })
    const login = await post('/login', { body: new URLSearchParams({ name: `ann of ${name}` }) })
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!
    const me = async () => (await fetch(`${url}/me`, { headers: { cookie } })).status
    expect([login.status, await me()]).toEqual([200, 200])
    const evil = await post('/logout', { headers: { cookie, origin: 'https://evil.example.com' } })
    expect([evil.status, await me()]).toEqual([403, 200])
    expect((await post('/logout', { headers: { cookie } })).status).toBe(200)
    expect(await me()).toBe(401)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test.each(runtimes)('%s has SQLite, and closes the sockets of a session that ends', async (name, args) => {
    const { child, lines } = start(name, [...args, 'more.mjs'])
    const line = async () => (await lines.next()).value as string
    expect(await line()).toBe('node:sqlite 1 0')
    if (name === 'bun') expect(await line()).toBe('bun:sqlite 1 0')
    const port = (await line()).replace('listening ', '')
    const Cookie = (await line()).replace('cookie ', '')
    const stranger = new WebSocket(`ws://127.0.0.1:${port}`)
    expect(((await once(stranger, 'error')) as [Error])[0].message).toContain('401')
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { Cookie } })
    expect(String(((await once(socket, 'message')) as [Buffer])[0])).toBe('ann')
    child.stdin.write('end\n')
    expect((await once(socket, 'close'))[0]).toBe(4401)
    child.kill()
    await once(child, 'exit')
  })
})
