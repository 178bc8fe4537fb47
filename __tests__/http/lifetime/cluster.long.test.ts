import { stopTheClock } from '../../support/core.js'
import { lifetimesHold } from '../../support/lifetimes-on.js'
import { clusterKind, onNodes } from '../../support/two-nodes.js'

onNodes(
  [clusterKind],
  'a lifetime is kept by every node, and of simultaneous re-authentications one counts',
  async (stores) => {
    stopTheClock()
    try {
      await lifetimesHold(stores)
    } finally {
      jest.useRealTimers()
    }
  },
  60_000,
)
