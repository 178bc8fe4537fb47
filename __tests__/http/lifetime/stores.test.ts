import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { stopTheClock } from '../../support/core.js'
import { lifetimesHold } from '../../support/lifetimes-on.js'
import { encryptedKind, nodeKinds, onNodes, type NodeKind } from '../../support/two-nodes.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

// Within one process: that is what its `atomicUpdates: false` says.
const adapted: NodeKind = [
  'a store of express-session',
  undefined,
  async () => {
    const store = fromExpressSession(new MemoryStore())
    return { stores: [store, store], close: async () => undefined }
  },
]

onNodes(
  [...nodeKinds('lifetimes'), encryptedKind, adapted],
  'a lifetime is kept by every node, and of simultaneous re-authentications one counts',
  lifetimesHold,
)
