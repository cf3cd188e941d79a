import { parsePolicy, parseCall, needsOf, decideCall, recordedFacts, canonicalJson, completeRecord, completedRecordText, commitPayload, windowStart } from '@bailiwick/core'
import { gather, keyDigest } from '../packages/store/dist/operations/gather.js'
import { decideOperation } from '../packages/store/dist/operations/decide.js'
import { Fold, emptyMemory } from '../packages/store/dist/log/fold.js'
const agent='customer-support-agent-v2'
const base=(extra)=>`
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail]
facts:
  refund_amount: { type: number, from: params.amount, for: [issue_refund] }
escalation_rules:
  - { condition: 'refund_amount > 500', action: human_approval_required }
${extra}`
const P={none:base(''),rate: base('rates:\n  - { id: calm, on: "*", max: 1000000000, window: 1m, effect: deny, per: agent }\n'),
 budget: base('budgets:\n  - { id: daily, on: issue_refund, sum: refund_amount, per: params.customer, window: 24h, max: 1000000000, effect: deny }\n')}
const bench=(name,f,N=60000)=>{ for(let i=0;i<N/4;i++) f(i); const t=process.hrtime.bigint(); for(let i=0;i<N;i++) f(i); console.log('  ',name, (Number(process.hrtime.bigint()-t)/N).toFixed(0),'ns') }
for (const [n,text] of Object.entries(P)) {
  const r=parsePolicy(text); if(r.kind!=='valid') throw new Error(JSON.stringify(r.problems)); const policy=r.policy
  console.log(n)
  const req=(i)=>({action:'issue_refund',params:{amount:i%400,customer:`c${i%10000}`}})
  const parsed=parseCall(agent,req(5))
  bench('parseCall',(i)=>parseCall(agent,req(i)))
  bench('needsOf',()=>needsOf(policy,parsed.call,{}))
  bench('gather',()=>gather(policy,parsed,{env:undefined,lookups:undefined}))
  const g=gather(policy,parsed,{env:undefined,lookups:undefined})
  const mem=emptyMemory()
  for(const c of g.counters) await mem.counters.load({query:async()=>({rows:[{n:0,total:'0',entries:[]}]})},'l',[{key:c.digest,since:0}])
  const facts={now:1e12,supports:[],counters:g.counters.length?new Map(g.counters.map(c=>[c.key,5])):undefined}
  bench('decideCall',()=>decideCall(policy,parsed,facts))
  bench('recordedFacts',()=>recordedFacts(facts))
  bench('canonical facts',()=>canonicalJson(recordedFacts(facts)))
  const settings={approvalUrl:()=>''}
  const fold=new Fold(mem)
  const op=decideOperation(parsed,g,settings)
  bench('decideOperation',()=>decideOperation(parsed,g,settings))
  let at=1e12
  bench('apply',(i)=>op.apply(fold,{index:i,at:1e12}))
  const a=op.apply(fold,{index:7,at:1e12})
  const place={ledger:'main',index:7,at:'2026-11-23T20:00:00.000Z',payload:'a'.repeat(64)}
  const rec=completeRecord(a.body,place)
  bench('completeRecord',()=>completeRecord(a.body,place))
  bench('text',()=>completedRecordText(rec))
  bench('commit',()=>commitPayload(Buffer.alloc(32),a.payload))
  bench('staged',(i)=>a.staged(rec,null))
  bench('rows/512',()=>{const f=new Fold(mem); for(let i=0;i<512;i++){const b=op.apply(f,{index:i,at:1e12}); b.staged(rec,null)}; JSON.stringify(f.rows(()=>'').entries)},200)
  console.log(a.payload.length, completedRecordText(rec).length, completedRecordText(rec), a.payload)
}
