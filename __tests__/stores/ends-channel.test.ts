import type { EndsListener } from 'express-sid'
import { endsChannel, type LineEvents } from '../../src/stores/ends-channel.js'
import { turns } from '../support/stores.js'

const id = '01a2169c-13a5-769e-b276-10a2632c41e0'

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))
afterEach(() => jest.useRealTimers())

/** A channel on lines that a test opens, loses and closes. */
function opened(how: 'ready' | 'never ready' | 'failing' | 'throwing' = 'ready') {
  const lines: (LineEvents & { isClosed: boolean })[] = []
  const published: string[] = []
  const said: string[] = []
  const listener: EndsListener = {
    ended: (ended) => void said.push(`ended ${ended}`),
    alive: () => void said.push('alive'),
    lost: () => void said.push('lost'),
  }
  const now = { how }
  const channel = endsChannel((events) => {
    const line = { ...events, isClosed: false }
    lines.push(line)
    if (now.how === 'throwing') throw new Error('no client')
    const ready = { ready: Promise.resolve(), failing: Promise.reject(new Error('refused')) }
    ready.failing.catch(() => undefined)
    return {
      ready: now.how === 'never ready' ? new Promise(() => undefined) : ready[now.how as 'ready'],
      publish: (text) => published.push(text),
      close: () => {
        line.isClosed = true
        throw new Error('closed already')
      },
    }
  }, listener)
  return { channel, lines, published, said, now }
}

const pass = async (ms: number) => {
  await jest.advanceTimersByTimeAsync(ms)
  await turns(3)
}

test('a channel is alive once its line is ready, and tells what comes through it', async () => {
  const { lines, said } = opened()
  expect(said).toEqual([])
  await turns(2)
  lines[0]!.message(id)
  lines[0]!.message('')
  expect(said).toEqual(['alive', `ended ${id}`, 'alive'])
})

test('what is no id of a session is nothing, whoever publishes it', async () => {
  const { lines, said } = opened()
  await turns(2)
  for (const text of ['sid', 'undefined', `${id} `, '{}']) lines[0]!.message(text)
  expect(said).toEqual(['alive'])
})

test('a line that is lost is told and closed, and another one is opened a second later', async () => {
  const { lines, said } = opened()
  await turns(2)
  lines[0]!.lost()
  lines[0]!.lost()
  expect([said, lines[0]!.isClosed]).toEqual([['alive', 'lost'], true])
  await pass(999)
  expect(lines).toHaveLength(1)
  await pass(1)
  expect(lines).toHaveLength(2)
  expect(said).toEqual(['alive', 'lost', 'alive'])
  // What still comes of the old one is nobody's.
  lines[0]!.message(id)
  lines[0]!.lost()
  expect(said).toHaveLength(3)
})

test.each(['failing', 'throwing'] as const)('a line that is %s is opened again each second', async (how) => {
  const { lines, said, now } = opened(how)
  await pass(3_500)
  expect(lines).toHaveLength(4)
  now.how = 'ready'
  await pass(1_000)
  expect(lines).toHaveLength(5)
  expect(said.at(-1)).toBe('alive')
})

test('a sign of life that does not come back is the end of its line', async () => {
  const { channel, lines, published, said } = opened()
  await turns(2)
  await channel.beat()
  lines[0]!.message('')
  await channel.beat()
  expect(published).toEqual(['', ''])
  expect(lines).toHaveLength(1)
  await channel.beat()
  await turns(2)
  expect(lines).toHaveLength(2)
  expect(lines[0]!.isClosed).toBe(true)
  expect(said).toEqual(['alive', 'alive', 'lost', 'alive'])
})

test('a line that never gets ready is given up after two signs of life', async () => {
  const { channel, lines } = opened('never ready')
  await channel.beat()
  await channel.beat()
  expect(lines).toHaveLength(1)
  await channel.beat()
  expect(lines).toHaveLength(2)
})

test('a channel that is closed opens nothing, and tells nothing', async () => {
  const { channel, lines, said } = opened()
  await turns(2)
  await channel.close()
  await channel.close()
  expect(lines[0]!.isClosed).toBe(true)
  lines[0]!.message(id)
  lines[0]!.lost()
  await channel.beat()
  await pass(5_000)
  expect([lines.length, said]).toEqual([1, ['alive']])
})
