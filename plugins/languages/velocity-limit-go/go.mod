module portcullis.example/velocity-limit

go 1.24
