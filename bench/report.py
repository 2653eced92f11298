from dataclasses import dataclass
@dataclass
class Results:
    compared: list; samples: dict; load_times: dict; memory: dict; modules: dict
def page(r):
    from statistics import median as m
    out=[]
    for case,by in r.samples.items():
        out.append(case)
        for g,s in by.items():
            ratio=m(a.cpu/b.cpu for a,b in zip(s,by['bare']))
            out.append(f"   {g:14} cpu {m(x.cpu for x in s):8.1f} x{ratio:.2f}  p50 {m(x.p50 or 0 for x in s):8.1f} p99 {m(x.p99 or 0 for x in s):8.1f}  {[round(x.cpu) for x in s]}")
    out.append(str({k:round(m(v)*1000) for k,v in r.load_times.items()})+str({k:v>>20 for k,v in r.memory.items()}))
    return "\n".join(out)
