import { actingHolds, bearerHolds } from '../../support/acting-on.js'
import { encryptedKind, nodeKinds, onNodes } from '../../support/two-nodes.js'

onNodes(
  [...nodeKinds('acting'), encryptedKind],
  'every node knows who acts as whom, and where the token of an app belongs',
  async (stores) => {
    await actingHolds(stores)
    await bearerHolds(stores)
  },
)
