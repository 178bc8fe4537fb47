import { Cluster, Redis } from 'ioredis'
import { createClient } from 'redis'
import { redisStore, type RedisClient, type RedisStoreOptions } from '../../../src/stores/redis/index.js'

// Clients that are never connected: everything here is refused before a command is sent.

const refuse = (client: unknown, options?: unknown) => () =>
  redisStore(client as RedisClient, options as RedisStoreOptions)

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a URL', 'redis://127.0.0.1'],
  ['options', { host: '127.0.0.1' }],
  ['a promise of a client', Promise.resolve(createClient())],
  ['a client of callbacks', createClient().legacy()],
  ['a client in legacy mode', createClient({ legacyMode: true } as object)],
])('refuses %s for a client, and says which ones it takes', (_, client) => {
  expect(refuse(client)).toThrow(
    expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('await createClient()'),
    }),
  )
})

test.each(['slave', 'all', () => []])(
  'refuses a Cluster client that reads from replicas (%p)',
  (scaleReads) => {
    const client = new Cluster([], { lazyConnect: true, scaleReads: scaleReads as 'all' })
    expect(refuse(client)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('scaleReads') }),
    )
  },
)

const badOptions: [string, unknown][] = [
  ['prefix', { prefix: '' }],
  ['prefix', { prefix: 7 }],
  ['prefix', { prefix: '{app}:' }],
  ['prefix', { prefix: 'app}' }],
  ['wait', { wait: 1 }],
  ['wait', { wait: null }],
  ['wait', { wait: { replicas: 1 } }],
  ['wait', { wait: { replicas: 0, timeout: 100 } }],
  ['wait', { wait: { replicas: 1, timeout: 0 } }],
  ['wait', { wait: { replicas: 1.5, timeout: 100 } }],
  ['wait', { wait: [1, 100] }],
  ['replicas', { wait: { replica: 1, timeout: 100 } }],
  ['prefix', { prefix: null }],
  ['prefix', { prefx: 'app:' }],
  ['options', null],
  ['options', ['app:']],
]

test.each(badOptions)('names the option %s that it refuses: %j', (name, options) => {
  const client = new Redis({ lazyConnect: true })
  expect(refuse(client, options)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(name) }),
  )
})

test('neither connects nor closes the client', () => {
  const client = new Redis({ lazyConnect: true })
  redisStore(client)
  expect(client.status).toBe('wait')
})

test('leaves alone a client that has a listener for errors', () => {
  const client = createClient()
  client.on('error', () => undefined)
  redisStore(client)
  expect(client.listenerCount('error')).toBe(1)
})
