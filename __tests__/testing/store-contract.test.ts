import { storeContract } from '../../src/testing/store-contract.js'
import { CorrectStore } from './broken-stores.js'

describe('a store that keeps every promise', () => {
  describe('opened anew for each case', () => {
    for (const { name, run } of storeContract(() => new CorrectStore())) test(name, run)
  })

  describe('opened once for all cases', () => {
    const store = new CorrectStore()
    for (const { name, run } of storeContract(async () => store)) test(name, run)
  })
})
