import { deleting } from './broken-stores/deleting.js'
import { expiring } from './broken-stores/expiring.js'
import { gathering } from './broken-stores/gathering.js'
import { hearing } from './broken-stores/hearing.js'
import { inserting } from './broken-stores/inserting.js'
import { keeping } from './broken-stores/keeping.js'
import { listing } from './broken-stores/listing.js'
import { paging } from './broken-stores/paging.js'
import { reading } from './broken-stores/reading.js'
import { scanning } from './broken-stores/scanning.js'
import { updatingMany } from './broken-stores/updating-many.js'
import { updating } from './broken-stores/updating.js'
import type { BrokenStore } from './broken-stores/broken.js'

/** Many stores, each with one fault, and the cases of the contract that must find it. */
export const brokenStores: readonly BrokenStore[] = [
  ...inserting,
  ...reading,
  ...keeping,
  ...gathering,
  ...updating,
  ...updatingMany,
  ...deleting,
  ...listing,
  ...paging,
  ...scanning,
  ...expiring,
  ...hearing,
]
