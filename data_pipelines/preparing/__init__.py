"""From a label table and its raw images to a prepared data set.

    encoding     what a prepared image is like; keys that name it by what it is made of
    pixels       one image: bytes → decoded, turned, shrunk → bytes, in graph
    staging      encoded images on disk as they come, so that a stop loses none
    local        encodes what is not staged yet, on the cores of this machine
    on_beam      the same on an engine that Apache Beam can drive
    folder       what a prepared data set is: shards, label table, sums
    job          all of it

`data_pipelines.tfds_builders` turns staged images into shards, and
`data_pipelines.sources.prepared` reads them back.
"""
