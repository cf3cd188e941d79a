/** Verbs that say that something is gone afterwards. */
export const destructiveWords: ReadonlySet<string> = words(`
  delete remove destroy drop purge wipe erase truncate terminate kill trash uninstall unlink rm rmdir del
  obliterate shred deprovision decommission revoke reset clear flush prune expunge`)

/** Verbs that change something, send something or run something, wherever they stand in a name. */
export const writingWords: ReadonlySet<string> = words(`
  create add update set write send put patch modify change edit insert upload move rename publish pay
  apply submit approve reject grant deploy execute exec run invoke trigger append save store import install enable disable
  assign unassign subscribe unsubscribe buy purchase withdraw sell sign upgrade downgrade register unregister push commit merge rebase
  cancel restart reboot start stop pause resume upsert replace overwrite rotate provision allocate release migrate restore
  forward reply notify invite join leave mute ban block unblock login logout authenticate configure attach detach
  encrypt decrypt lock unlock close reopen archive unarchive redeem void capture settle escalate eval evaluate`)

/** Verbs of that kind that are also nouns: they count where a name begins with them. */
export const writingNouns: ReadonlySet<string> = words(`
  post book order transfer refund charge comment schedule share copy issue promise deposit trade exchange export
  record reserve mail email message call dispatch ship return print log fork clone branch tag label mark link make
  generate produce render build compile test upvote downvote vote rate review like follow request claim fill type
  click tap press navigate goto scroll drag select shell bash sql python javascript script terminal command`)

/** Verbs that only look. */
export const readingWords: ReadonlySet<string> = words(`
  get list read search find query fetch lookup look show view describe count check calculate compute think
  summarize summarise inspect status info browse download validate verify preview explain compare analyze analyse ping help
  whoami head stat exists is has can retrieve load peek watch monitor scan detect classify translate convert parse extract filter
  sort diff ls cat grep`)

/** Names of parameters that carry a program: whatever the tool is called, it does what they say. */
export const programParams: ReadonlySet<string> = words(`
  sql statement code script command cmd shell bash expression_code program source_code python javascript`)

/** Names of parameters that name an address: what is read there can be told something by asking. */
export const addressParams: ReadonlySet<string> = words('url uri href endpoint webhook host address_url link')

/** The words of a name: `gmail.messages.batchDelete` is gmail, messages, batch, delete. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== '')
}

/** The verb of a sentence's first word, without the ending of the third person: `Deletes` is delete. */
export function firstVerb(sentence: string, verbs: ReadonlySet<string>): string | undefined {
  const first = /^[^\p{L}]*(\p{L}+)/u.exec(sentence)?.[1]?.toLowerCase() ?? ''
  return [first, first.replace(/s$/, ''), first.replace(/es$/, '')].find((word) => verbs.has(word))
}

/** What a description says where something cannot be taken back. */
export const lastingHarm =
  /\b(?:delet(?:e|es|ed|ing)|destroy(?:s|ed|ing)?|eras(?:e|es|ed|ing)|wip(?:e|es|ed|ing)|purg(?:e|es|ed|ing)|permanent(?:ly)?|irreversibl[ey]|cannot be undone|can't be undone|overwrit(?:e|es|ten|ing))\b/i

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
