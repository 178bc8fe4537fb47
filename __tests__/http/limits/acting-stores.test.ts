import { randomBytes } from 'node:crypto'
import { memoryStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { actingHolds, bearerHolds } from '../../support/acting-on.js'
import { has } from '../../support/needs.js'
import { nodeKinds, type NodeKind } from '../../support/two-nodes.js'

const overEncryption: NodeKind = [
  'an encrypted store',
  undefined,
  async () => {
    const store = encrypted(memoryStore(), { keys: [randomBytes(32)] })
    return { stores: [store, store], close: async () => undefined }
  },
]

describe.each([...nodeKinds('acting'), overEncryption])('on %s', (_name, part, open) => {
  const run = part === undefined || has(part) ? test : test.skip

  run('every node knows who acts as whom, and where the token of an app belongs', async () => {
    const { stores, close } = await open()
    try {
      await actingHolds(stores)
      await bearerHolds(stores)
    } finally {
      await close()
    }
  })
})
