-- What a call other than a delivery came to. ARGV: gate, account, step (JSON, see lessons.lua). Returns news of the gate or ''.
local step = cjson.decode(ARGV[3])
step.beside = true
note_active(ARGV[2])
learn(ARGV[1], ARGV[2], now_ms(), step)
return news
