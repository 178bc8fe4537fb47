import { memoryStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { randomBytes } from 'node:crypto'
import { stopTheClock } from '../../support/core.js'
import { lifetimesHold } from '../../support/lifetimes-on.js'
import { has } from '../../support/needs.js'
import { nodeKinds, type NodeKind } from '../../support/two-nodes.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const done = async () => undefined
const around: NodeKind[] = [
  [
    'an encrypted store',
    undefined,
    async () => {
      const store = memoryStore()
      const keys = [randomBytes(32)]
      return { stores: [encrypted(store, { keys }), encrypted(store, { keys })], close: done }
    },
  ],
  [
    // Within one process: that is what its `atomicUpdates: false` says.
    'a store of express-session',
    undefined,
    async () => {
      const store = fromExpressSession(new MemoryStore())
      return { stores: [store, store], close: done }
    },
  ],
]

describe.each([...nodeKinds('lifetimes'), ...around])('on %s', (_name, part, open) => {
  const run = part === undefined || has(part) ? test : test.skip

  run('a lifetime is kept by every node, and of simultaneous re-authentications one counts', async () => {
    const { stores, close } = await open()
    try {
      await lifetimesHold(stores)
    } finally {
      await close()
    }
  })
})
