import { stopTheClock } from '../../support/core.js'
import { lifetimesHold } from '../../support/lifetimes-on.js'
import { has } from '../../support/needs.js'
import { clusterKind } from '../../support/two-nodes.js'

const [name, part, open] = clusterKind
const run = has(part!) ? test : test.skip

run(
  `on ${name} a lifetime is kept by every node, and of simultaneous re-authentications one counts`,
  async () => {
    const { stores, close } = await open()
    stopTheClock()
    try {
      await lifetimesHold(stores)
    } finally {
      jest.useRealTimers()
      await close()
    }
  },
  60_000,
)
