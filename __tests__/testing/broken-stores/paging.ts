import type { SessionRecord } from '../../../src/record.js'
import { broken, type BrokenStore, type Patch } from './broken.js'
import type { CorrectStore } from './correct-store.js'

/** A store whose pages are cut from what `list` returns. The next page begins after so many of them. */
const counting = (list: (good: CorrectStore, userId: string) => SessionRecord[]): Patch => {
  return (good) => ({
    async pageByUser(userId, limit, after = '0') {
      const all = list(good, userId)
      const end = Number(after) + limit
      return { records: all.slice(Number(after), end), next: all.length > end ? String(end) : undefined }
    },
  })
}

export const paging: readonly BrokenStore[] = [
  broken(
    'pageByUser returns one page only',
    [
      'pageByUser: the pages together',
      'pageByUser: sessions that were made',
      'pageByUser: ending each page',
      'pageByUser: no record is missed',
    ],
    (good) => ({
      pageByUser: async (userId, limit) => ({ ...(await good.pageByUser(userId, limit)), next: undefined }),
    }),
  ),
  broken('pageByUser takes no heed of the limit', ['pageByUser: the pages together'], (good) => ({
    pageByUser: async (userId) => good.pageByUser(userId, 1_000),
  })),
  broken(
    'pageByUser counts records that may end meanwhile',
    ['pageByUser: ending each page', 'pageByUser: no record is missed'],
    counting((good, userId) => good.select((record) => record.userId === userId)),
  ),
  broken(
    'pageByUser sorts by the hour alone',
    [
      'pageByUser: the pages together',
      'pageByUser: sessions that were made',
      'pageByUser: ending each page',
      'pageByUser: no record is missed',
    ],
    (good) => ({
      async pageByUser(userId, limit, after = '') {
        const key = ({ absoluteExpiresAt }: SessionRecord) =>
          String(Math.floor(absoluteExpiresAt / 3_600_000))
        const isOurs = (record: SessionRecord) => record.userId === userId && key(record) > after
        const rest = good.select(isOurs).toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
        // A page ends where a time ends, as far as the limit lets it.
        const page = rest.slice(0, limit)
        return { records: page, next: rest.length > limit ? key(page.at(-1)!) : undefined }
      },
    }),
  ),
  broken('pageByUser uses a user id as a prefix', ['pageByUser: any string is a user'], (good) => ({
    async pageByUser(userId, limit, after) {
      const last = good.select((record) => record.userId?.startsWith(userId) === true).at(-1)
      return good.pageByUser(last?.userId ?? userId, limit, after)
    },
  })),
  broken(
    'pageByUser returns everybody for an unknown user',
    ['pageByUser: a user without sessions', 'pageByUser: ending each page'],
    (good) => ({
      async pageByUser(userId, limit, after) {
        const page = await good.pageByUser(userId, limit, after)
        return page.records.length > 0 ? page : { ...page, records: good.select(() => true).slice(0, limit) }
      },
    }),
  ),
]
