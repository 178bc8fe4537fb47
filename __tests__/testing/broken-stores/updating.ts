import { setImmediate } from 'node:timers/promises'
import { broken, type BrokenStore } from './broken.js'
import { copy } from './correct-store.js'

export const updating: readonly BrokenStore[] = [
  broken(
    'update writes where there is nothing',
    [
      'update: absent where the record never',
      'update: absent where the record was',
      'update: absent and conflict list',
      'update: no number of updates',
    ],
    (good) => ({
      async update(record, ifVersion) {
        const result = await good.update(record, ifVersion)
        if (result === 'absent') good.records.set(record.id, copy(record))
        return result
      },
    }),
  ),
  broken(
    'update returns ok where there is nothing',
    [
      'update: absent where the record never',
      'update: absent where the record was',
      'update: absent and conflict list',
      'update: an id that was',
    ],
    (good) => ({
      async update(record, ifVersion) {
        const result = await good.update(record, ifVersion)
        return result === 'absent' ? 'ok' : result
      },
    }),
  ),
  broken(
    'update returns conflict where there is nothing',
    [
      'update: absent where the record never',
      'update: absent where the record was',
      'update: absent and conflict list',
      'update: an id that was',
    ],
    (good) => ({
      async update(record, ifVersion) {
        const result = await good.update(record, ifVersion)
        return result === 'absent' ? 'conflict' : result
      },
    }),
  ),
  broken('update ignores the case of letters in an id', ['update: an id that was'], (good) => ({
    update: (record, ifVersion) => good.update({ ...record, id: record.id.toLowerCase() }, ifVersion),
  })),
  broken(
    'update looks at no version',
    [
      'update: conflict where the version',
      'update: a version that was',
      'update: absent and conflict list',
      'update: of many at once',
      'update: forty writers that read',
    ],
    (good) => ({
      update: async (record) => good.update(record, good.records.get(record.id)?.version ?? 0),
    }),
  ),
  broken(
    'update lets a later version pass',
    ['update: conflict where the version', 'update: absent and conflict list'],
    (good) => ({
      async update(record, ifVersion) {
        const version = good.records.get(record.id)?.version ?? 0
        return good.update(record, Math.min(version, ifVersion))
      },
    }),
  ),
  broken(
    'update returns conflict, and writes',
    [
      'update: conflict where the version',
      'update: absent and conflict list',
      'update: of many at once',
      'update: no number of updates',
    ],
    (good) => ({
      async update(record, ifVersion) {
        const result = await good.update(record, ifVersion)
        if (result === 'conflict') good.records.set(record.id, copy(record))
        return result
      },
    }),
  ),
  broken(
    'update keeps the version',
    [
      'update: ok replaces the whole',
      'update: a guest is updated',
      'update: conflict where the version',
      'update: a version that was',
      'update: a change of the given',
      'update: of many at once',
      'update: forty writers that read',
      'update: fields of a later version',
    ],
    (good) => ({
      update: (record, ifVersion) => good.update({ ...record, version: ifVersion }, ifVersion),
    }),
  ),
  broken('update merges data', ['update: ok replaces the whole'], (good) => ({
    update(record, ifVersion) {
      const data = { ...good.records.get(record.id)?.data, ...record.data }
      return good.update({ ...record, data }, ifVersion)
    },
  })),
  broken('update leaves out the user', ['update: ok replaces the whole'], (good) => ({
    update(record, ifVersion) {
      const user = good.records.get(record.id)?.user
      return good.update({ ...record, user }, ifVersion)
    },
  })),
  broken(
    'update compares, and writes a moment later',
    ['update: of many at once', 'update: forty writers that read'],
    (good) => ({
      async update(record, ifVersion) {
        const version = good.records.get(record.id)?.version
        await setImmediate()
        if (version !== ifVersion || !good.records.has(record.id)) return good.update(record, ifVersion)
        good.records.set(record.id, copy(record))
        return 'ok'
      },
    }),
  ),
  broken('update compares, and writes over a deletion', ['update: no number of updates'], (good) => ({
    async update(record, ifVersion) {
      const old = good.records.get(record.id)
      await setImmediate()
      if (old?.version === ifVersion && !good.records.has(record.id))
        good.records.set(record.id, copy(record))
      return good.update(record, ifVersion)
    },
  })),
  broken(
    'update returns before it has written',
    [
      'update: ok replaces the whole',
      'update: a guest is updated',
      'update: conflict where the version',
      'update: a version that was',
      'update: a change of the given',
      'update: of many at once',
      'update: forty writers that read',
      'update: fields of a later version',
    ],
    (good) => ({
      async update(record, ifVersion) {
        const old = good.records.get(record.id)
        if (old?.version !== ifVersion) return good.update(record, ifVersion)
        const kept = copy(record)
        void setImmediate().then(() => good.update(kept, ifVersion))
        return 'ok'
      },
    }),
  ),
  broken('update keeps the object that it was given', ['update: a change of the given'], (good) => ({
    async update(record, ifVersion) {
      const isCurrent = good.records.get(record.id)?.version === ifVersion
      if (isCurrent) good.records.set(record.id, record)
      return isCurrent ? 'ok' : good.update(record, ifVersion)
    },
  })),
]
