require("aqua").setup()
