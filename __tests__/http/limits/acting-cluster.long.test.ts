import { actingHolds, bearerHolds } from '../../support/acting-on.js'
import { clusterKind, onNodes } from '../../support/two-nodes.js'

onNodes(
  [clusterKind],
  'every node knows who acts as whom, and where the token of an app belongs',
  async (stores) => {
    await actingHolds(stores)
    await bearerHolds(stores)
  },
  60_000,
)
