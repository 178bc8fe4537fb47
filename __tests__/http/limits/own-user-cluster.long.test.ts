import { needs } from '../../support/needs.js'
import { clusterKind } from '../../support/two-nodes.js'
import { usersHold, versionsHold } from '../../support/users-on.js'

const [name, part, open] = clusterKind

needs(part!)(`on ${name}`, () => {
  test('changed users, credentials and versions count on every node', async () => {
    const { stores, close } = await open()
    try {
      await usersHold(stores)
      await versionsHold(stores)
    } finally {
      await close()
    }
  }, 60_000)
})
