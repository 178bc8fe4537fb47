import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { EndsChannel } from '../../store.js'
import { makeRecord, nextOf } from '../records.js'
import type { StoreCase, TestedStore } from './case.js'

/** Much longer than a message takes. */
const WAIT_MS = 3_000

/** What came through a channel. */
interface Heard {
  readonly channel: EndsChannel
  readonly ended: string[]
  alive: number
}

/** `hearEnds`. */
export const hearingCases: readonly StoreCase[] = [
  {
    name: 'hearEnds: hears what delete has ended, and nothing of what lives',
    uses: ['hearEnds'],
    run: (store) =>
      listening(store, 1, async ([heard]) => {
        const [ended, alive] = [makeRecord(), makeRecord()]
        for (const record of [ended, alive]) await store.insert(record)
        assert.equal(await store.update(nextOf(alive, { data: { a: 1 } }), 1), 'ok')
        assert.equal(await store.delete(ended.id), true)
        await until(() => heard!.ended.includes(ended.id), 'the end was not heard')
        assert.equal(await store.get(ended.id), undefined)
        assert.equal(heard!.ended.includes(alive.id), false)
        await store.delete(alive.id)
      }),
  },
  {
    name: 'hearEnds: hears an update that marks a record as ended',
    uses: ['hearEnds'],
    run: (store) =>
      listening(store, 1, async ([heard]) => {
        const record = makeRecord()
        await store.insert(record)
        assert.equal(await store.update(nextOf(record, { endedBy: 'reuse' }), 1), 'ok')
        await until(() => heard!.ended.includes(record.id), 'the mark was not heard')
        await store.delete(record.id)
      }),
  },
  {
    name: 'hearEnds: a sign of life comes through to all who listen, and so does an end',
    uses: ['hearEnds'],
    run: (store) =>
      listening(store, 2, async (both) => {
        const before = both.map(({ alive }) => alive)
        await both[0]!.channel.beat()
        await until(() => both.every(({ alive }, at) => alive > before[at]!), 'no sign of life came through')
        const record = makeRecord()
        await store.insert(record)
        await store.delete(record.id)
        await until(() => both.every(({ ended }) => ended.includes(record.id)), 'one did not hear the end')
      }),
  },
  {
    name: 'hearEnds: hears nothing any more once it is closed',
    uses: ['hearEnds'],
    run: (store) =>
      listening(store, 2, async ([closed, open]) => {
        await closed!.channel.close()
        const record = makeRecord()
        await store.insert(record)
        await store.delete(record.id)
        await until(() => open!.ended.includes(record.id), 'the end was not heard')
        assert.equal(closed!.ended.includes(record.id), false)
      }),
  },
]

/** Runs a case with so many channels, which are open. */
async function listening(
  store: TestedStore,
  count: number,
  run: (heard: readonly Heard[]) => Promise<void>,
): Promise<void> {
  const all = Array.from({ length: count }, () => listen(store))
  try {
    await until(() => all.every(({ alive }) => alive > 0), 'the channel was not opened')
    await run(all)
  } finally {
    for (const { channel } of all) await channel.close()
  }
}

function listen(store: TestedStore): Heard {
  const ended: string[] = []
  const heard = { ended, alive: 0 }
  const channel = store.hearEnds({
    ended: (id) => void ended.push(id),
    alive: () => void (heard.alive += 1),
    lost: () => undefined,
  })
  return Object.assign(heard, { channel })
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!holds()) {
    if (performance.now() > deadline) assert.fail(`${otherwise} within ${WAIT_MS} ms`)
    await pause(5)
  }
}
