import { randomBytes } from 'node:crypto'
import { memoryStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { has } from '../../support/needs.js'
import { nodeKinds, type NodeKind } from '../../support/two-nodes.js'
import { usersHold, versionsHold } from '../../support/users-on.js'

const overEncryption: NodeKind = [
  'an encrypted store',
  undefined,
  async () => {
    const store = encrypted(memoryStore(), { keys: [randomBytes(32)] })
    return { stores: [store, store], close: async () => undefined }
  },
]

describe.each([...nodeKinds('users'), overEncryption])('on %s', (_name, part, open) => {
  const run = part === undefined || has(part) ? test : test.skip

  run('changed users, credentials and versions count on every node', async () => {
    const { stores, close } = await open()
    try {
      await usersHold(stores)
      await versionsHold(stores)
    } finally {
      await close()
    }
  })
})
