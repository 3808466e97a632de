autocmd BufRead,BufNewFile *.aqua setfiletype aqua
autocmd BufRead,BufNewFile *.air setfiletype air
