import { startService } from 'bailiwick'
import { openDatabase, stopIfUnused } from '@bailiwick/store'
import { mkdtempSync, rmSync } from 'node:fs'
const t0=Date.now(); const T=(l)=>console.log(String(Date.now()-t0).padStart(6), l)
const dir = mkdtempSync('/tmp/hh/t-')
const o = { policies: process.argv[2], dataDir: dir+'/data', port: 0, host: '127.0.0.1', env: {}, log: T }
for (let i=0;i<3;i++){
T('start'); const s = await startService(o); T('started')
T('open'); const d = await openDatabase({dataDir:o.dataDir}); T('opened'); await stopIfUnused(d); T('left')
await s.stop(); T('stopped')}
rmSync(dir,{recursive:true})
