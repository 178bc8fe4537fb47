import type * as serverless from '../../examples/serverless.js'
import { has, needs } from '../support/needs.js'

// The function of docs/guides/serverless.md, called as API Gateway calls it (payload format 2.0).

type Example = typeof serverless
interface Result {
  readonly statusCode: number
  readonly body: string
  readonly cookies: readonly string[]
}

/** An instance of the function: its own modules, and its own connection. */
function coldStart(): Example {
  let instance: Example | undefined
  jest.isolateModules(() => {
    instance = require('../../examples/serverless.js') as Example
  })
  return instance!
}

const call = async (instance: Example, method: string, path: string, cookies: string[] = [], body?: object) =>
  (await instance.handler(
    {
      version: '2.0',
      rawPath: path,
      rawQueryString: '',
      cookies,
      headers: { host: 'shop.example.com', 'content-type': 'application/json', accept: 'application/json' },
      requestContext: { http: { method, path, sourceIp: '192.0.2.7' } },
      body: body === undefined ? '' : JSON.stringify(body),
    },
    {},
  )) as Result

needs('redis')('a function', () => {
  const instances = has('redis') ? [coldStart(), coldStart()] : []
  afterAll(async () => {
    for (const { client, sessions } of instances) {
      await sessions.revokeAll('ann of serverless')
      await sessions.close()
      client.destroy()
    }
  })

  test('is loaded without a connection, and connects once', async () => {
    const [first] = instances as [Example]
    expect(first.client.isOpen).toBe(false)
    expect((await call(first, 'GET', '/me')).statusCode).toBe(401)
    expect(first.client.isReady).toBe(true)
    expect((await call(first, 'GET', '/me')).statusCode).toBe(401)
  })

  test('knows the login of another instance, and its logout', async () => {
    const [first, second] = instances as [Example, Example]
    const { statusCode, cookies } = await call(first, 'POST', '/login', [], { name: 'ann of serverless' })
    expect([statusCode, cookies.length]).toEqual([200, 1])
    expect(cookies[0]).toMatch(/^__Host-sid=.*; Secure/)
    const cookie = [cookies[0]!.split(';')[0]!]
    const me = await call(second, 'GET', '/me', cookie)
    expect([me.statusCode, JSON.parse(me.body)]).toEqual([200, { id: 'ann of serverless' }])
    expect((await call(second, 'POST', '/logout', cookie)).statusCode).toBe(200)
    expect((await call(first, 'GET', '/me', cookie)).statusCode).toBe(401)
  })
})
