import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../docs/support/page.js'

// The app of docs/guides/nestjs.md, in a process of its own: NestJS is made of ES modules, and has decorators.

const start = `import { createApp, sessions } from './examples/nestjs.ts'
const app = await createApp()
await app.listen(0, '127.0.0.1')
console.log(await app.getUrl())
process.stdin.once('data', async () => {
  await app.close()
  console.log(await sessions.list('ann').catch(({ code }) => code))
  process.stdin.destroy()
})`

let child: ChildProcess
let url: string
beforeAll(async () => {
  child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', start], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  url = await nextLine()
})
afterAll(() => void child.kill('SIGKILL'))

async function nextLine(): Promise<string> {
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return line.toString().trim()
}

const call = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
  fetch(url + path, {
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })

async function logIn(): Promise<{ cookie: string }> {
  const login = await call('POST', '/login', {}, { name: 'ann', password: 'tea' })
  expect(login.status).toBe(204)
  return { cookie: login.headers.get('set-cookie')!.split(';')[0]! }
}

const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
]

test('a guard and the decorator let the user in, and nobody after the logout', async () => {
  expect((await call('POST', '/login', {}, { name: 'ann', password: 'guess' })).status).toBe(401)
  const ann = await logIn()
  expect(await (await call('GET', '/me', ann)).json()).toEqual({ id: 'ann' })
  expect((await call('POST', '/logout', ann)).status).toBe(204)
  expect((await call('GET', '/me', ann)).status).toBe(401)
})

test('a refusal is that of the package: by a guard, by the decorator alone, by the middleware', async () => {
  const ann = await logIn()
  expect(await codeOf(await call('GET', '/me'))).toEqual([401, 'UNAUTHENTICATED'])
  expect(await codeOf(await call('GET', '/name'))).toEqual([401, 'UNAUTHENTICATED'])
  expect(await codeOf(await call('POST', '/payout', ann))).toEqual([401, 'REAUTHENTICATION_REQUIRED'])
  const evil = { ...ann, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example.com' }
  expect(await codeOf(await call('POST', '/logout', evil))).toEqual([403, 'CROSS_ORIGIN'])
  expect((await call('GET', '/me', ann)).status).toBe(200)
})

test('the sessions close with the app', async () => {
  child.stdin!.write('close')
  expect(await nextLine()).toBe('CLOSED')
})
