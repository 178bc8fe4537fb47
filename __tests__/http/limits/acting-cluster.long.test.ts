import { actingHolds, bearerHolds } from '../../support/acting-on.js'
import { needs } from '../../support/needs.js'
import { clusterKind } from '../../support/two-nodes.js'

const [name, part, open] = clusterKind

needs(part!)(`on ${name}`, () => {
  test('every node knows who acts as whom, and where the token of an app belongs', async () => {
    const { stores, close } = await open()
    try {
      await actingHolds(stores)
      await bearerHolds(stores)
    } finally {
      await close()
    }
  }, 60_000)
})
