import { clusterKind, onNodes } from '../../support/two-nodes.js'
import { usersHold, versionsHold } from '../../support/users-on.js'

onNodes(
  [clusterKind],
  'changed users, credentials and versions count on every node',
  async (stores) => {
    await usersHold(stores)
    await versionsHold(stores)
  },
  60_000,
)
