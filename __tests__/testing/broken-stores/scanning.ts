import type { SessionRecord } from '../../../src/record.js'
import { broken, type BrokenStore } from './broken.js'

export const scanning: readonly BrokenStore[] = [
  broken('scan returns one page only', ['scan: the pages together', 'scan: no record is missed'], (good) => ({
    scan: async (limit, after) => ({ ...(await good.scan(limit, after)), next: undefined }),
  })),
  broken('scan leaves out guests', ['scan: the pages together'], (good) => ({
    async scan(limit, after) {
      const page = await good.scan(limit, after)
      return { ...page, records: page.records.filter(({ userId }) => userId !== undefined) }
    },
  })),
  broken('scan counts records that may end meanwhile', ['scan: no record is missed'], (good) => ({
    async scan(limit, after = '0') {
      const all = good.select(() => true)
      const end = Number(after) + limit
      return { records: all.slice(Number(after), end), next: all.length > end ? String(end) : undefined }
    },
  })),
  broken('scan returns what has ended', ['scan: what has ended'], (good) => {
    const ended: SessionRecord[] = []
    return {
      async delete(id) {
        const record = await good.get(id)
        if (record !== undefined) ended.push(record)
        return good.delete(id)
      },
      async scan(limit, after) {
        const page = await good.scan(limit, after)
        return page.next === undefined ? { ...page, records: [...page.records, ...ended] } : page
      },
    }
  }),
  broken('count leaves out guests', ['count: rises by'], (good) => ({
    count: async (now) =>
      good.select(({ userId, expiresAt }) => userId !== undefined && expiresAt > now).length,
  })),
  broken('count takes the expired for live', ['count: a record whose'], (good) => ({
    count: async () => good.records.size,
  })),
]
